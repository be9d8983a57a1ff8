package segstore

import "time"

// When a Writer publishes. Each publish costs every reader a wake and a write,
// so a chunk should be one publish.
const (
	// publishBytes is how much may be pending before it is published whatever
	// it is; it is also the most that one read asks for.
	publishBytes = 64 << 10
	// publishDelay is how long the first unpublished byte may wait for the rest
	// of its fragment.
	publishDelay = 4 * time.Millisecond
	// publishGap is the least time between two publishes of bytes that have no
	// fragments to go by.
	publishGap = 2 * time.Millisecond
)

// received counts the bytes p, which stand in the tail block already. drained
// says that no more were waiting behind them.
func (w *Writer) received(p []byte, drained bool) {
	w.boxes.Scan(p)
	w.mu.Lock()
	w.filled += int64(len(p))
	wake := w.decide(drained)
	w.mu.Unlock()
	if wake != nil {
		close(wake)
	}
}

// decide publishes, or sees to it that the timer will. w.mu is held.
func (w *Writer) decide(drained bool) (wake chan struct{}) {
	now := time.Now()
	upTo := max(w.shown, w.boxes.FragmentEnd())
	loose := drained && !w.boxes.Structured() && now.Sub(w.lastAt) >= publishGap
	if loose || w.filled-upTo >= publishBytes {
		upTo = w.filled
	}
	if upTo > w.shown {
		wake = w.show(upTo, now)
		w.due = time.Time{}
	}
	if w.filled > w.shown && w.due.IsZero() {
		w.due = now.Add(publishDelay)
		w.arm(publishDelay)
	}
	return wake
}

// show publishes up to the offset and returns what wakes the readers. w.mu is held.
func (w *Writer) show(upTo int64, now time.Time) (wake chan struct{}) {
	w.shown, w.lastAt = upTo, now
	return w.file.set(&view{head: w.head, blocks: w.blocks, size: upTo, state: Growing, next: make(chan struct{})})
}

// arm sets the timer unless it runs. w.mu is held.
func (w *Writer) arm(d time.Duration) {
	switch {
	case w.armed:
		return
	case w.timer == nil:
		w.timer = time.AfterFunc(d, w.onTimer)
	default:
		w.timer.Reset(d)
	}
	w.armed = true
}

// onTimer publishes what is due. The timer is not stopped at each publish, so
// it may find nothing, or something younger.
func (w *Writer) onTimer() {
	w.mu.Lock()
	w.armed = false
	if w.ended || w.due.IsZero() {
		w.mu.Unlock()
		return
	}
	now := time.Now()
	if left := w.due.Sub(now); left > 0 {
		w.arm(left)
		w.mu.Unlock()
		return
	}
	w.due = time.Time{}
	wake := w.show(w.filled, now)
	w.mu.Unlock()
	close(wake)
}
