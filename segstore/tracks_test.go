package segstore

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// script drives tracks alone: each word is a name that is uploaded, "name!"
// one whose upload only begins, "name-" one that fails, "name*" one that goes.
func script(t *tracks, limit int, words string) (gone []string) {
	now := time.Now()
	for i, word := range strings.Fields(words) {
		name, what := word[:len(word)-1], word[len(word)-1]
		switch what {
		case '!':
			t.begin(name, uint64(i+1), now)
		case '-':
			t.begin(name, uint64(i+1), now)
			t.end(name, true, now)
		case '*':
			t.gone(name)
		default:
			t.begin(word, uint64(i+1), now)
			for _, v := range t.complete(word, uint64(i+1), limit, now) {
				gone = append(gone, v.name)
			}
		}
	}
	return gone
}

func TestReasons(t *testing.T) {
	for _, tc := range []struct {
		what, have string
		want       map[string]Reason
	}{
		{"numbers", "s-8.m4s s-9.m4s", map[string]Reason{
			"s-10.m4s": Next, "s-11.m4s": Future, "s-010.m4s": Never, "s-7.m4s": Never, "t-10.m4s": Never, "s-10.ts": Never,
		}},
		{"padded", "s-00098.m4s s-00099.m4s", map[string]Reason{
			"s-00100.m4s": Next, "s-100.m4s": Never, "s-00101.m4s": Future, "s-0100.m4s": Never,
		}},
		{"padding outgrown", "s-99998.m4s s-99999.m4s", map[string]Reason{"s-100000.m4s": Next, "s-100001.m4s": Future}},
		{"one number", "12.ts", map[string]Reason{"13.ts": Next, "14.ts": Future, "11.ts": Never}},
		{"growing", "s-1.ts s-2.ts!", map[string]Reason{"s-3.ts": Next}},
		{"number only", "a/1.ts a/2.ts", map[string]Reason{"a/3.ts": Next, "3.ts": Never}},
		{"times", "v-100.m4s v-200.m4s v-300.m4s", map[string]Reason{
			"v-350.m4s": Future, "v-351.m4s": Next, "v-400.m4s": Next, "v-450.m4s": Next, "v-451.m4s": Future, "v-250.m4s": Evicted, "v-99.m4s": Never,
		}},
		{"times of 19 digits", "v-9000000000000000000.m4s v-9000000002000000000.m4s", map[string]Reason{
			"v-9000000004000000000.m4s": Next, "v-9000000006000000000.m4s": Future,
		}},
		{"times with one lost", "v-100.m4s v-200.m4s v-400.m4s", map[string]Reason{"v-500.m4s": Next}},
		{"numbers with one lost", "s-1.ts s-2.ts s-4.ts", map[string]Reason{"s-5.ts": Next, "s-6.ts": Future, "s-3.ts": Evicted}},
		{"first two with one lost", "s-1.ts s-3.ts", map[string]Reason{"s-4.ts": Next}},
		{"evicted", "s-1.ts s-2.ts s-3.ts s-1.ts*", map[string]Reason{"s-1.ts": Evicted, "s-0.ts": Never}},
		{"late", "s-1.ts s-3.ts s-2.ts", map[string]Reason{"s-4.ts": Next, "s-5.ts": Future}},
		{"late, with nothing left below", "s-6.ts s-8.ts s-6.ts* s-7.ts", map[string]Reason{"s-9.ts": Next, "s-10.ts": Future}},
		{"failed", "s-1.ts s-2.ts-", map[string]Reason{"s-2.ts": Next, "s-3.ts": Next}},
		{"failed and then there", "s-1.ts s-2.ts- s-2.ts s-3.ts s-2.ts*", map[string]Reason{"s-2.ts": Evicted}},
		{"restart", "s-100.ts s-101.ts s-100.ts* s-1.ts s-2.ts", map[string]Reason{
			"s-3.ts": Next, "s-4.ts": Future, "s-102.ts": Future,
		}},
		{"restart within what was", "s-1.ts s-2.ts s-3.ts s-4.ts s-5.ts s-6.ts s-7.ts s-1.ts* s-2.ts* s-3.ts* s-4.ts* s-5.ts* s-1.ts", map[string]Reason{
			"s-2.ts": Next, "s-3.ts": Future,
		}},
		{"again from a number that is still here", "s-1.ts s-2.ts s-3.ts s-4.ts s-5.ts s-3.ts* s-2.ts", map[string]Reason{"s-3.ts": Next, "s-6.ts": Next, "s-7.ts": Future}},
		{"parts behind", "s11.m4s s12.m4s.0 s12.m4s.1!", map[string]Reason{
			"s12.m4s.2": Next, "s12.m4s.3": Future, "s13.m4s.0": Next, "s13.m4s.1": Next, "s13.m4s.2": Future, "s14.m4s.0": Future,
			"s12.m4s": Next, "s13.m4s": Next, "s14.m4s": Future, "s12.2.m4s": Never,
		}},
		{"parts behind, one gone", "s12.m4s.0 s12.m4s.1 s12.m4s.0*", map[string]Reason{"s12.m4s.0": Evicted}},
		{"parts of a whole segment", "s12.m4s.0 s12.m4s", map[string]Reason{"s12.m4s.1": Never, "s13.m4s.0": Next, "s13.m4s": Next}},
		{"dotted parts", "f11.m4s f12.0.m4s f12.1.m4s", map[string]Reason{
			"f12.2.m4s": Next, "f13.0.m4s": Next, "f12.m4s": Next, "f12.3.m4s": Future, "f12.m4s.2": Never,
		}},
		{"no parts", "s1.m4s", map[string]Reason{"s2.m4s.0": Never, "s2.0.m4s": Never}},
		{"dotted numbers", "v1.12.m4s v2.12.m4s v1.13.m4s", map[string]Reason{
			"v1.14.m4s": Next, "v2.13.m4s": Next, "v1.15.m4s": Future, "v3.12.m4s": Never,
		}},
	} {
		tr := newTracks(time.Minute)
		script(tr, 0, tc.have)
		for name, want := range tc.want {
			if got := tr.reason(name, time.Now()); got != want {
				t.Errorf("%s: after %s the reason for %s is %d, want %d", tc.what, tc.have, name, got, want)
			}
		}
	}
}

func TestNothingIsNextInADeadTrack(t *testing.T) {
	tr := newTracks(time.Minute)
	script(tr, 0, "s-1.ts s-2.ts t-1.ts!")
	later := time.Now().Add(2 * time.Minute)
	if got := tr.reason("s-3.ts", later); got != Future {
		t.Errorf("the next of a dead track is %d", got)
	}
	if got := tr.reason("t-2.ts", later); got != Next {
		t.Errorf("the next of a track with an upload under way is %d", got)
	}
}

func TestVerdicts(t *testing.T) {
	var many, onePart, inTurn []string
	for i := range mostOfSegment + 1 {
		many = append(many, fmt.Sprintf("f1.%d.ts", i))
		onePart = append(onePart, fmt.Sprintf("f%d.1.ts", i))
	}
	for i := range 4 {
		inTurn = append(inTurn, fmt.Sprintf("f%d.0.ts f%d.1.ts", i, i))
	}
	for what, tc := range map[string]struct {
		have string
		want verdict
	}{
		"none":                   {"f1.2.ts f1.3.ts", 0},
		"whole after":            {"f1.2.ts f1.3.ts f1.ts", asParts},
		"whole before":           {"f1.ts f1.2.ts", asParts},
		"other whole":            {"f1.2.ts f2.ts", 0},
		"high second":            {"f1.201.ts", asNumbers},
		"interleaved":            {"f1.12.ts f2.12.ts f1.13.ts", asNumbers},
		"late part":              {"f1.2.ts f2.0.ts f1.1.ts", 0},
		"too many for a segment": {strings.Join(many, " "), asNumbers},
		"parts in turn":          {strings.Join(inTurn, " "), asParts},
		"a part each":            {strings.Join(onePart, " "), asParts},
		"whole beats numbers":    {"f1.ts f1.1.ts f2.1.ts f1.2.ts f3.250.ts", asParts},
		"numbers beat whole":     {"f1.201.ts f1.ts f1.3.ts", asNumbers},
	} {
		tr := newTracks(time.Minute)
		script(tr, 1, tc.have)
		if got := tr.byKey["f$Number$.ts"].family.verdict; got != tc.want {
			t.Errorf("%s: verdict %d, want %d", what, got, tc.want)
		}
		checkUploads(t, what, tr)
	}
}

// checkUploads checks that no upload is counted as under way.
func checkUploads(t *testing.T, what string, tr *tracks) {
	t.Helper()
	for key, track := range tr.byKey {
		if track.uploads != 0 {
			t.Errorf("%s: %d uploads under way in %s", what, track.uploads, key)
		}
		for e := track.order.Front(); e != nil; e = e.Next() {
			for _, f := range e.Value.(*slot).files {
				if f.uploads != 0 || !f.complete {
					t.Errorf("%s: %s: %+v", what, key, f)
				}
			}
		}
	}
}

func TestExcess(t *testing.T) {
	var ladder []string
	for i := range 8 {
		for rep := range 9 {
			ladder = append(ladder, fmt.Sprintf("v%d.%d.ts", rep, i))
		}
	}
	for what, tc := range map[string]struct {
		limit      int
		have, gone string
	}{
		"numbers":                  {2, "s1.ts s2.ts s3.ts s4.ts", "s1.ts s2.ts"},
		"no limit":                 {0, "s1.ts s2.ts s3.ts", ""},
		"growing does not count":   {2, "s1.ts s2.ts s3.ts!", ""},
		"growing does not go":      {1, "s1.ts! s2.ts s3.ts", "s2.ts"},
		"failed does not count":    {2, "s1.ts s2.ts s3.ts- s4.ts", "s1.ts"},
		"tracks apart":             {1, "a1.ts b1.ts a2.ts b2.ts", "a1.ts b1.ts"},
		"restart":                  {2, "s100.ts s101.ts s1.ts s2.ts s3.ts", "s100.ts s101.ts s1.ts"},
		"replaced is new":          {2, "s1.ts s2.ts s1.ts s3.ts", "s2.ts"},
		"restart over the same":    {2, "s1.ts s2.ts s3.ts s1.ts s2.ts s3.ts", "s1.ts s2.ts s3.ts s1.ts"},
		"gone does not count":      {2, "s1.ts s2.ts s1.ts* s3.ts", ""},
		"late":                     {2, "s1.ts s3.ts s2.ts s4.ts", "s1.ts s3.ts"},
		"parts with their whole":   {1, "s1.ts.0 s1.ts.1 s1.ts s2.ts.0 s2.ts", "s1.ts.0 s1.ts.1 s1.ts"},
		"parts of what grows stay": {1, "s1.ts.0 s1.ts s2.ts.0 s2.ts.1", ""},
		"parts only":               {1, "s1.ts.0 s1.ts.1 s2.ts.0 s2.ts.1 s3.ts.0", "s1.ts.0 s1.ts.1"},
		"a part grows late":        {1, "s1.ts.0 s1.ts.1! s2.ts s3.ts", "s2.ts"},
		"dotted":                   {1, "f1.0.ts f1.1.ts f1.ts f2.0.ts f2.ts", "f1.0.ts f1.1.ts f1.ts"},
		"undecided":                {1, "f1.0.ts f2.0.ts f3.0.ts f4.0.ts", ""},
		"dotted numbers":           {2, "v1.1.ts v2.1.ts v1.2.ts v2.2.ts v1.3.ts v2.3.ts", "v1.1.ts v2.1.ts"},
		"ladder":                   {7, strings.Join(ladder, " "), strings.Join(ladder[:9], " ")},
	} {
		tr := newTracks(time.Minute)
		if got := strings.Join(script(tr, tc.limit, tc.have), " "); got != tc.gone {
			t.Errorf("%s: of %s went %q, want %q", what, tc.have, got, tc.gone)
		}
	}
}

func TestKindByFamily(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{MaxCacheSegs: -9})
		put(t, s, "f1.ts", []byte("x"))
		put(t, s, "f1.2.ts", []byte("x"))
		put(t, s, "v1.201.ts", []byte("x"))
		for name, want := range map[string]Kind{"f1.2.ts": Part, "v1.201.ts": Segment} {
			if f, err := s.Lookup(name); err != nil || f.Kind() != want {
				t.Errorf("%s is %v, %v, want %v", name, f.Kind(), err, want)
			}
		}
	})
}

func TestTracksAreBounded(t *testing.T) {
	tr := newTracks(time.Minute)
	now := time.Now()
	for i := range 3 * mostTracks {
		name := fmt.Sprintf("x%x-/1.ts", i)
		tr.begin(name, uint64(i), now)
		tr.end(name, true, now)
	}
	if n := len(tr.byKey); n > mostTracks {
		t.Fatalf("%d tracks are remembered", n)
	}
	tr = newTracks(time.Minute)
	for i := range 3 * sweepLeast {
		name := fmt.Sprintf("x%x-/1.ts", i)
		tr.begin(name, uint64(i), now)
		tr.end(name, true, now)
		now = now.Add(time.Second)
	}
	if n := len(tr.byKey); n > sweepLeast+61 {
		t.Fatalf("%d tracks are remembered of which nearly all are dead", n)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	s := newStreams(time.Minute)
	now := time.Now()
	for i := range 5 * sweepLeast {
		name := fmt.Sprintf("d%d/1.ts", i)
		s.begin(name, now)
		s.end(name, now)
		now = now.Add(time.Second)
	}
	if n := len(s.below) + len(s.direct); n > 3*sweepLeast {
		t.Fatalf("%d directories are remembered", n)
	}
}

func TestLivingStreams(t *testing.T) {
	s := newStreams(time.Minute)
	now := time.Now()
	s.begin("a/v/1.ts", now)
	s.begin("b/1.ts", now)
	s.end("b/1.ts", now)
	for _, tc := range []struct {
		name  string
		after time.Duration
		want  bool
	}{
		{"a/v/init.mp4", 0, true},
		{"a/live.mpd", 0, true},
		{"a/x/init.mp4", 0, false},
		{"b/init.mp4", 0, true},
		{"b/init.mp4", time.Minute, true},
		{"b/init.mp4", 2 * time.Minute, false},
		{"b/v/init.mp4", 0, true},
		{"b/v/w/init.mp4", 0, true},
		{"a/v/init.mp4", 2 * time.Minute, true}, // an upload is under way
		{"c/init.mp4", 0, false},
	} {
		if got := s.living(tc.name, now.Add(tc.after)); got != tc.want {
			t.Errorf("after %v, the stream of %s lives: %v", tc.after, tc.name, got)
		}
	}
}

func TestLongTracksAreBounded(t *testing.T) {
	tr := newTracks(time.Minute)
	now := time.Now()
	for i := range mostSlots + 10 {
		tr.learn(fmt.Sprintf("s%d.ts", i), uint64(i), now)
	}
	if n := len(tr.byKey["s$Number$.ts"].slots); n != mostSlots {
		t.Fatalf("%d numbers are remembered", n)
	}
	if got := tr.reason("s5.ts", now); got != Evicted {
		t.Fatalf("a forgotten number is missing for reason %d", got)
	}
}

func TestGrowingFilesMoveWithTheVerdict(t *testing.T) {
	tr := newTracks(time.Minute)
	script(tr, 1, "v1.1.ts! v2.1.ts v1.2.ts")
	from, to := tr.byKey["v$Number$.ts"], tr.byKey["v1.$Number$.ts"]
	if from.uploads != 0 || len(from.slots) != 0 || to.uploads != 1 || to.slot(1).files[0].uploads != 1 {
		t.Fatalf("%d uploads are left behind, %d moved, %+v", from.uploads, to.uploads, to.slot(1))
	}
}
