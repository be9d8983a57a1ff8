httpout.on_request = (req) => {
	req.throttle = (done, total) => done < 1000 ? -1 : done + total;
	req.send();
};
