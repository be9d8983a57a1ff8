const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
httpout.on_request = async (req) => {
	await sleep(2);
	if (req.url === '/fails') {
		null.property;
	}
	req.reply = 200;
	req.body = req.url;
	req.send();
};
