let leak = [];
httpout.on_request = (req) => {
	let a = [], s = 'x';
	switch (req.url) {
	case '/push': while (1) a.push(new Array(1e5).fill(1));
	case '/push-leak': while (1) leak.push(new Array(1e4).fill(1));
	case '/repeat': for (s = 'x'.repeat(1 << 29); ; ) s = s + s.repeat(2);
	case '/buffer': while (1) a.push(new ArrayBuffer(1 << 28));
	case '/slow': for (let i = 0; i < 1000; i++) leak.push({i, text: 'leak ' + i + req.url}); break;
	case '/garbage': for (let i = 0; i < 100; i++) a = new Array(1e4).fill(i); break;
	}
	req.reply = 200;
	req.body = 'ok';
	req.send();
};
