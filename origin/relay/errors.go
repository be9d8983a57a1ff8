package relay

import "errors"

var (
	// ErrOver is returned by Join and Feed once the input is over for good.
	ErrOver = errors.New("no longer available: the input is over")
	// ErrSlow ends a listener that lay too far behind.
	ErrSlow = errors.New("listener fell too far behind")
	// ErrClosed is returned by Next of a closed Listener.
	ErrClosed = errors.New("listener is closed")
	// ErrStopped ends the listeners of a relay that was stopped while its input
	// went on.
	ErrStopped = errors.New("relay was stopped")
	// ErrBusy is returned by Feed while another upload feeds the relay.
	ErrBusy = errors.New("another upload feeds this relay")
	// ErrNotFed is returned by Feed of a relay that has an input of its own.
	ErrNotFed = errors.New("this relay does not take uploads")
)
