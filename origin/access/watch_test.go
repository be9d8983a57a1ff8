package access

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// used gathers what a watched file said.
type used struct {
	mu    sync.Mutex
	texts []string // guarded by mu
}

func (u *used) use(data []byte) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if string(data) == "broken" {
		return errors.New("broken")
	}
	u.texts = append(u.texts, string(data))
	return nil
}

func (u *used) last() (text string, n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if n = len(u.texts); n == 0 {
		return "", 0
	}
	return u.texts[n-1], n
}

// watched is a file with text in it, that is followed.
func watched(t *testing.T, text string) (path string, u *used, w *watchedFile) {
	t.Helper()
	path, u = filepath.Join(t.TempDir(), "f"), &used{}
	put(t, path, text)
	w, err := watchFile(path, slog.New(slog.DiscardHandler), u.use)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.close() })
	return path, u, w
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What other files of the directory do neither puts a reading off nor makes one.
func TestOtherFilesOfTheDirectory(t *testing.T) {
	path, u, _ := watched(t, "one")
	stop := make(chan struct{})
	var busy sync.WaitGroup
	busy.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(settle / 20):
				put(t, path+"-other", fmt.Sprint(i))
			}
		}
	})
	put(t, path, "two")
	eventually(t, "it is read", func() bool { text, _ := u.last(); return text == "two" })
	close(stop)
	busy.Wait()
	if _, n := u.last(); n != 2 {
		t.Errorf("used %d times", n)
	}
}

// A file that says the same is not used again; one that was broken is, even if
// it says what it said before that.
func TestFileThatSaysTheSame(t *testing.T) {
	path, u, _ := watched(t, "one")
	put(t, path, "one")
	put(t, path+".new", "one")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * settle) // it had the time for it
	if _, n := u.last(); n != 1 {
		t.Errorf("used %d times", n)
	}
	put(t, path, "two")
	eventually(t, "it is read", func() bool { text, n := u.last(); return text == "two" && n == 2 })
}

// A file that was removed and made anew is followed on.
func TestFileThatIsMadeAnew(t *testing.T) {
	path, u, _ := watched(t, "one")
	for i := range 3 {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * settle) // so that it is missed
		want := fmt.Sprint("again ", i)
		put(t, path, want)
		eventually(t, "it is read", func() bool { text, _ := u.last(); return text == want })
	}
}

// Nothing is used once the watching has ended.
func TestEndOfTheWatching(t *testing.T) {
	path, u, w := watched(t, "one")
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	put(t, path, "two")
	time.Sleep(2 * settle)
	if text, _ := u.last(); text != "one" {
		t.Error(text)
	}
}
