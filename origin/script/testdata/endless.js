httpout.on_request = (req) => {
	req.reply = 200;
	req.read = (buffer) => buffer.byteLength;
	req.send();
};
