let served = 0;
httpout.on_request = (req) => {
	if (req.method !== 'GET' && req.method !== 'HEAD') {
		req.reply = 405;
		req.send('an argument means nothing');
		return;
	}
	served++;
	req.reply = 200;
	req.headers_out.push({name: 'Content-Type', value: 'application/json'});
	req.body = JSON.stringify({served, url: req.url, headers: req.headers_in, what: 'ü€𝄞'});
	req.send();
	req.body = 'too late';
};
