httpout.on_request = (req) => {
	if (req.auth_code != 200) {
		req.reply = req.auth_code;
	} else {
		req.body = '/srv/vod' + req.url;
	}
	req.send();
};
