// What the URL names throws, or goes on for ever with "loop-".
function bad(req) {
	if (req.url.includes('loop')) for (;;);
	return missing.property; // line 4
}
httpout.on_request = (req) => {
	const where = req.url.split('-').pop();
	if (where === 'request') bad(req);
	if (where === 'timer') { setTimeout(() => bad(req), 1); return; }
	if (where === 'late') setTimeout(() => bad(req), 1);
	if (where === 'sent') { req.send(); bad(req); }
	if (where === 'jobs') { Promise.resolve().then(() => bad(req)); return; }
	req.reply = 200;
	req.read = req.write = req.throttle = req.close = () => 1;
	req[where] = () => bad(req);
	req.send();
};
