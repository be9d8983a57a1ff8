package script

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/dop251/goja"
)

// A guard holds the script to its bounds. It interrupts what runs too long or
// holds too much, and ends the process when that does not help.
type guard struct {
	time  time.Duration // of an entry
	grace time.Duration // from the interrupt to the end
	heap  uint64        // bytes that may be live on the heap
	spare uint64        // bytes of them that an interrupt has to set free
	text  string        // says the bound of memory
	rt    *goja.Runtime
	wake  chan struct{} // an entry has begun

	mu      sync.Mutex // guards what follows
	running string     // what runs, "" for nothing
	until   time.Time  // the bound of what runs
	last    time.Time  // the bound after which the process ends
	why     fault      // of the interrupt, if there was one
	soft    *time.Timer
	hard    *time.Timer
}

const (
	watchEvery   = 4 * time.Millisecond
	watchIdle    = 25                    // ticks the watch goes on after the last entry
	collectEvery = 50 * time.Millisecond // least time between collections it asks for
	graceLeast   = 250 * time.Millisecond
	wallRoom     = 1 << 30 // so far behind that the watch, which can say what ran, comes first
)

// newGuard makes the guard of rt, in which no script has run yet: what is on
// the heap now is not the script's.
func newGuard(rt *goja.Runtime, m loadMsg) *guard {
	runtime.GC()
	g := &guard{
		time: m.time, grace: graceLeast + m.time/2, heap: liveHeap() + uint64(m.memory), spare: uint64(m.memory) / 4,
		text: fmt.Sprintf("over the bound of %d KiB of memory", m.memory>>10),
		rt:   rt, wake: make(chan struct{}, 1),
	}
	g.soft = time.AfterFunc(time.Hour, g.late)
	g.hard = time.AfterFunc(time.Hour, g.tooLate)
	g.soft.Stop()
	g.hard.Stop()
	if !raced || m.unwatched {
		wall(8*m.memory + wallRoom)
	}
	if !m.unwatched {
		go g.watch()
	}
	return g
}

// begin is the start of an entry.
func (g *guard) begin(what string) {
	g.mu.Lock()
	g.running, g.why = what, 0
	g.until = time.Now().Add(g.time)
	g.soft.Reset(g.time)
	g.mu.Unlock()
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// finish is the end of an entry. It returns why the entry was interrupted, if
// it was; the next one starts without an interrupt. After one for memory the
// entry goes on for the guard, until calm, for what it took is still there.
func (g *guard) finish() fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.soft.Stop()
	g.hard.Stop()
	g.rt.ClearInterrupt()
	if g.why != faultMemory {
		g.running = ""
	}
	return g.why
}

// calm ends an entry that finish did not.
func (g *guard) calm() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running = ""
}

// late interrupts an entry that has had its time. A timer that fires late meets
// another entry, or none.
func (g *guard) late() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running != "" && !time.Now().Before(g.until) {
		g.interrupt(faultTime)
	}
}

// interrupt has what runs stop; mu is held.
func (g *guard) interrupt(why fault) {
	if g.why != 0 {
		return
	}
	g.why = why
	g.rt.Interrupt(why)
	g.last = time.Now().Add(g.grace)
	g.hard.Reset(g.grace)
}

// tooLate ends the process with an entry that did not stop.
func (g *guard) tooLate() {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.running == "" || g.why == 0 || time.Now().Before(g.last):
	case g.why == faultMemory:
		g.exitMemory()
	default:
		exit(exitTime, fmt.Sprintf("over the bound of %v in %s, in a built-in function", g.time, g.running))
	}
}

// exit ends the process with the line its parent is to log.
func exit(code int, line string) {
	fmt.Fprintln(os.Stderr, line)
	os.Exit(code)
}

// exitMemory ends the process; mu is held.
func (g *guard) exitMemory() {
	in := g.running
	if in == "" {
		in = "all"
	}
	exit(exitMemory, g.text+" in "+in)
}

// watch measures the heap while the script runs, and a little longer.
func (g *guard) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var collected time.Time
	for range g.wake {
		tick.Reset(watchEvery)
		for idle := 0; idle < watchIdle; {
			<-tick.C
			collected = g.check(collected)
			if g.isIdle() {
				idle++
			} else {
				idle = 0
			}
		}
		tick.Stop()
	}
}

func (g *guard) isIdle() bool {
	select {
	case <-g.wake:
		return false
	default:
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.running == ""
}

// check compares the heap with its bound. What is on it may be garbage, which
// a collection tells; twice the bound is too much even so. It returns the time
// of the last collection.
func (g *guard) check(collected time.Time) time.Time {
	size := heapSize()
	switch {
	case size <= g.heap:
		return collected
	case size > 2*g.heap:
		g.mu.Lock()
		defer g.mu.Unlock()
		g.exitMemory()
	case time.Since(collected) < collectEvery && size < g.heap/2*3:
		return collected
	}
	if g.over(0) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.running == "" {
			g.exitMemory()
		}
		g.interrupt(faultMemory)
	}
	return time.Now()
}

// over collects the garbage and says whether more than allowed is left, or less
// than spare below that.
func (g *guard) over(spare uint64) bool {
	runtime.GC()
	return liveHeap()+spare > g.heap
}

// giveUp ends the process after an entry was interrupted that has not set free
// what it took: the ones after it would fare no better.
func (g *guard) giveUp() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.exitMemory()
}

// heapSize is what is on the heap, garbage with it, in bytes.
func heapSize() uint64 { return metric("/memory/classes/heap/objects:bytes") }

// liveHeap is what the last collection has left, in bytes.
func liveHeap() uint64 { return metric("/gc/heap/live:bytes") }

func metric(name string) uint64 {
	s := []metrics.Sample{{Name: name}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
