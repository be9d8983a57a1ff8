package origin

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/headwater-origin/headwater/segstore"
)

// Why a viewer was cut.
const (
	cutSlow = "slow" // did not take a batch within viewer_timeout
	cutLag  = "lag"  // fell further behind than max_lag
)

// metrics are the counters of a Server. Labels are a mount's path or words
// from a fixed list, so their number is bounded.
type metrics struct {
	registry   *prometheus.Registry
	requests   *prometheus.CounterVec
	ingest     *prometheus.CounterVec
	egress     *prometheus.CounterVec
	uploads    *prometheus.CounterVec
	uploading  *prometheus.GaugeVec
	viewers    *prometheus.GaugeVec
	cut        *prometheus.CounterVec
	held       *prometheus.CounterVec
	heldMissed *prometheus.CounterVec
	unread     *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "headwater_" + name, Help: help}, append([]string{"mount"}, labels...))
		m.registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "headwater_" + name, Help: help}, []string{"mount"})
		m.registry.MustRegister(g)
		return g
	}
	m.requests = counter("requests_total", "Requests answered, by method and status; 499 is a client that went first.", "method", "code")
	m.ingest = counter("ingest_bytes_total", "Bytes of uploads received.")
	m.egress = counter("egress_bytes_total", "Bytes of files sent.")
	m.uploads = counter("uploads_total", "Uploads ended: complete, failed, or kept out by the policy.", "result")
	m.uploading = gauge("uploads", "Uploads under way.")
	m.viewers = gauge("viewers", "Requests that follow a growing file.")
	m.cut = counter("viewers_cut_total", "Viewers cut: slow (viewer_timeout) or lag (max_lag).", "reason")
	m.held = counter("held_requests_total", "Requests held for a file, or bytes of one, to come.")
	m.heldMissed = counter("held_timeouts_total", "Held requests for which the file did not come in time.")
	m.unread = counter("manifests_unread_total", "Manifests that could not be read, and are served as they came.")
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// mountMetrics are the counters of one mount, looked up once.
type mountMetrics struct {
	all            *metrics
	path           string
	ingestBytes    prometheus.Counter
	egressBytes    prometheus.Counter
	uploadComplete prometheus.Counter
	uploadFailed   prometheus.Counter
	uploadKept     prometheus.Counter
	uploading      prometheus.Gauge
	viewers        prometheus.Gauge
	held           prometheus.Counter
	heldTimeout    prometheus.Counter
	cut            map[string]prometheus.Counter
}

func (m *metrics) mount(path string) *mountMetrics {
	return &mountMetrics{
		all: m, path: path,
		ingestBytes:    m.ingest.WithLabelValues(path),
		egressBytes:    m.egress.WithLabelValues(path),
		uploadComplete: m.uploads.WithLabelValues(path, "complete"),
		uploadFailed:   m.uploads.WithLabelValues(path, "failed"),
		uploadKept:     m.uploads.WithLabelValues(path, "kept"),
		uploading:      m.uploading.WithLabelValues(path),
		viewers:        m.viewers.WithLabelValues(path),
		held:           m.held.WithLabelValues(path),
		heldTimeout:    m.heldMissed.WithLabelValues(path),
		cut: map[string]prometheus.Counter{
			cutSlow: m.cut.WithLabelValues(path, cutSlow),
			cutLag:  m.cut.WithLabelValues(path, cutLag),
		},
	}
}

// count counts a request. Methods come from a fixed list; statuses do, too, or are
// a script's, of which there are 400.
func (m *mountMetrics) count(method string, status int) {
	switch method {
	case "GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS":
	default:
		method = "other"
	}
	m.all.requests.WithLabelValues(m.path, method, strconv.Itoa(status)).Inc()
}

// storeCollector reports the levels and counts that the stores keep.
type storeCollector struct{ stores []labelledStore }

var (
	descFiles     = storeDesc("files", "Files stored under a name.")
	descBytes     = storeDesc("memory_bytes", "Memory held by files, those included that are evicted but still read.")
	descWaiting   = storeDesc("waiting_requests", "Requests that wait for a file to come.")
	descEvicted   = storeDesc("evicted_total", "Files evicted, by cause: count (max_cache_segs) or bytes (max_bytes, memory).", "cause")
	descDiskError = storeDesc("disk_errors_total", "Failed writes, renames and removals.")
	descUnsaved   = storeDesc("disk_unsaved_files", "Complete files that are in memory only because the disk failed.")
)

func storeDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("headwater_"+name, help, append([]string{"mount"}, labels...), nil)
}

// Describe implements prometheus.Collector.
func (c storeCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descFiles, descBytes, descWaiting, descEvicted, descDiskError, descUnsaved} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c storeCollector) Collect(ch chan<- prometheus.Metric) {
	seen := map[string]bool{}
	for _, l := range c.stores {
		path := l.path
		if seen[path] {
			path += " (write)" // the other of two at one path is only written
		}
		seen[path] = true
		collectStore(ch, path, l.store.Stats())
	}
}

func collectStore(ch chan<- prometheus.Metric, path string, s segstore.Stats) {
	level := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, path)
	}
	count := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), append([]string{path}, labels...)...)
	}
	level(descFiles, float64(s.Files))
	level(descBytes, float64(s.Bytes))
	level(descWaiting, float64(s.Waiters))
	level(descUnsaved, float64(s.DiskUnsaved))
	count(descEvicted, s.EvictedCount, "count")
	count(descEvicted, s.EvictedBytes, "bytes")
	count(descDiskError, s.DiskErrors)
}

// Stats are figures of a running Server.
type Stats struct {
	Viewers int // requests that follow a growing file now
	Uploads int // uploads under way now
}
