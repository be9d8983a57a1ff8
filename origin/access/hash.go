package access

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// cost is what one argon2id hash takes.
type cost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// defaultCost is for new passwords. 19 MiB twice is slow enough for who
// guesses, and two at a time do not hurt a small server.
var defaultCost = cost{memory: 19 * 1024, passes: 2, threads: 1}

// What a hash in the file may ask for: the memory is taken when somebody logs
// in, so a file must not make it any amount.
const (
	maxMemory  = 64 * 1024 // KiB
	maxPasses  = 16
	maxThreads = 8
	maxSalt    = 64 // bytes
	maxKey     = 64 // bytes
)

const (
	saltBytes = 16
	keyBytes  = 32
	minSalt   = 8
	minKey    = 16
)

// passwordHash is a salted hash; it is immutable.
type passwordHash struct {
	cost cost
	salt []byte
	key  []byte
}

// newHash hashes the password with a new salt.
func newHash(password string, c cost) passwordHash {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	return passwordHash{c, salt, c.key(password, salt, keyBytes)}
}

func (c cost) key(password string, salt []byte, n int) []byte {
	return argon2.IDKey([]byte(password), salt, c.passes, c.memory, c.threads, uint32(n))
}

// matches takes the same time for every password of a length.
func (h passwordHash) matches(password string) bool {
	return subtle.ConstantTimeCompare(h.cost.key(password, h.salt, len(h.key)), h.key) == 1
}

// b64 is what the PHC string format has: no padding, one text for some bytes.
var b64 = base64.RawStdEncoding.Strict()

// String returns the hash as a PHC string.
func (h passwordHash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.cost.memory, h.cost.passes, h.cost.threads, b64.EncodeToString(h.salt), b64.EncodeToString(h.key))
}

// errHash does not show the text: it might be a password that somebody typed
// into the file.
var errHash = errors.New("is not an argon2id hash; set the password with: headwater user passwd")

// parseHash reads what String writes.
func parseHash(text string) (passwordHash, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return passwordHash{}, errHash
	}
	var h passwordHash
	var err error
	if h.cost, err = parseCost(parts[3]); err != nil {
		return passwordHash{}, err
	}
	if h.salt, err = parseBytes(parts[4], minSalt, maxSalt); err != nil {
		return passwordHash{}, err
	}
	if h.key, err = parseBytes(parts[5], minKey, maxKey); err != nil {
		return passwordHash{}, err
	}
	return h, nil
}

func parseCost(text string) (cost, error) {
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return cost{}, errHash
	}
	var n [3]uint32
	for i, p := range []struct {
		key string
		max uint64
	}{{"m=", maxMemory}, {"t=", maxPasses}, {"p=", maxThreads}} {
		digits, ok := strings.CutPrefix(parts[i], p.key)
		v, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || v == 0 {
			return cost{}, errHash
		}
		if v > p.max {
			return cost{}, fmt.Errorf("asks for %s%d; at most %d", p.key, v, p.max)
		}
		n[i] = uint32(v)
	}
	return cost{memory: n[0], passes: n[1], threads: uint8(n[2])}, nil
}

func parseBytes(text string, least, most int) ([]byte, error) {
	if b64.DecodedLen(len(text)) > most {
		return nil, errHash
	}
	b, err := b64.DecodeString(text)
	if err != nil || len(b) < least || strings.ContainsAny(text, "\r\n") {
		return nil, errHash
	}
	return b, nil
}
