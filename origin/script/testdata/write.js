// Takes an upload: counts and sums its bytes.
httpout.on_request = (req) => {
	let bytes = 0, sum = 0, parts = 0;
	req.reply = 201;
	req.write = (buffer) => {
		if (buffer === null) {
			print(`${bytes} bytes in ${parts} parts, sum ${sum}`);
			return;
		}
		parts++;
		bytes += buffer.byteLength;
		for (const b of new Uint8Array(buffer)) sum += b;
	};
	req.close = (code) => print(`closed ${code}`);
	req.send();
};
