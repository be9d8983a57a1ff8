// Streams "part N;" a few times; each part is not there at first.
httpout.on_request = (req) => {
	let part = 0, asked = 0;
	req.reply = 200;
	req.read = function (buffer) {
		if (this !== req) throw new Error('this is not the request');
		if (part === 5) return 0;
		if (++asked % 3) return -1;
		const text = `part ${part++} of ${buffer.byteLength};`;
		const bytes = new Uint8Array(buffer);
		for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
		return text.length;
	};
	req.close = (code) => print(`closed ${code} after ${asked}`);
	req.send();
};
