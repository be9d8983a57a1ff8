// Package script runs an operator's JavaScript, written for httpout's js option,
// for every request of an origin.
//
// The script sets httpout.on_request, and is called with each request; what it
// has decided when it calls send() is an Answer. Promised is that a script has
// a bound of time for each entry into it and a bound of memory for all of it,
// that what goes wrong in it fails the one request and is one line in the log
// with file and line, and that nothing it does takes the origin down.
//
// The interpreter knows no bound of memory, so the script runs in a process of
// its own: the same program, executed again with a marker in an otherwise empty
// environment, which HostMain sees. There one goroutine owns the interpreter and
// takes, one after the other, what the parent asks for and the timers that are
// due. Two bounds stand guard over it: a timer for each entry, and a watch that
// measures the heap every few milliseconds. Both interrupt the script first, and
// where it does not stop, because it is inside a built-in function, they end the
// process. Behind them stands the kernel's limit of the data of a process. The
// parent starts another one, at growing intervals.
//
// Parent and child speak in frames over two pipes, each with a length, a kind,
// and the number of the request it is for, so that many requests are under way
// at a time; see wire.go. The child ends with its parent.
package script
