httpout.on_request = (req) => {
	const never = setTimeout(() => { throw new Error('was cleared'); }, 1);
	setTimeout((body) => {
		req.reply = 200;
		req.body = body;
		req.send();
	}, 5, 'later');
	clearTimeout(never);
	clearTimeout(undefined);
};
