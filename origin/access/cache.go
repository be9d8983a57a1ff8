package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

const (
	// keepFor is how long a password that was right is known without being
	// used. An encoder that sends a segment now and then stays known.
	keepFor = 5 * time.Minute
	// maxKnown bounds how many are known. What is beyond costs a hash.
	maxKnown = 10_000
)

// digest stands for a name with a password.
type digest [sha256.Size]byte

// digester makes digests under a key that is in this process alone.
type digester struct{ key []byte }

func newDigester() digester {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return digester{key}
}

func (d digester) of(name, password string) digest {
	mac := hmac.New(sha256.New, d.key)
	var n [8]byte // so that no other pair has the same bytes
	binary.BigEndian.PutUint64(n[:], uint64(len(name)))
	mac.Write(n[:])
	mac.Write([]byte(name))
	mac.Write([]byte(password))
	return digest(mac.Sum(nil))
}

// known are the passwords that were right, for a time. The zero value is empty.
type known struct {
	mu    sync.Mutex           // guards until
	until map[digest]time.Time // when it is forgotten
}

// has says whether d is known, and keeps it known.
func (k *known) has(d digest, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	until, ok := k.until[d]
	if !ok {
		return false
	}
	if !now.Before(until) {
		delete(k.until, d)
		return false
	}
	k.until[d] = now.Add(keepFor)
	return true
}

func (k *known) add(d digest, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.until == nil {
		k.until = map[digest]time.Time{}
	}
	if len(k.until) >= maxKnown {
		k.makeRoom(now)
	}
	k.until[d] = now.Add(keepFor)
}

// makeRoom forgets what is over, or else any one.
func (k *known) makeRoom(now time.Time) {
	for d, until := range k.until {
		if !now.Before(until) {
			delete(k.until, d)
		}
	}
	for d := range k.until {
		if len(k.until) < maxKnown {
			return
		}
		delete(k.until, d)
	}
}
