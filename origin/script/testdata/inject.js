// The example of httpout's documentation, without its import: adds a header,
// slows down, and watches the end.
httpout.on_request = function (request)
{
	print("Got request " + JSON.stringify(request));
	request.headers_out.push({name: "x-gpac", value: "foo"});
	//let the server handle the request
	request.reply=0;
	//throttle the connection, always delaying by 100 us
	request.throttle = function(done, total) {
		return 100;
	}
	request.close = function(error) {
		print('closed with code ' + error);
	}
	request.send();
}
