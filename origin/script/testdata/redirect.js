// Sends what is below /old to another server; all else goes on as usual.
httpout.on_request = (req) => {
	if (req.url.startsWith('/old/')) {
		req.reply = 302;
		req.headers_out.push({name: 'Location', value: 'https://new.example' + req.url.substring(4)});
	}
	req.send();
};
