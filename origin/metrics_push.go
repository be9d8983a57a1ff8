package origin

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// pushCollector reports what the pushers count, by destination: its number in
// the configuration, since a URL may be long and change.
type pushCollector struct{ pushers []mountPusher }

var (
	descPushFiles = pushDesc("push_files_total", "Files and deletes by what became of them: sent, deleted, resent, retried, failed, skipped (stale), replaced, broken.", "result")
	descPushBytes = pushDesc("push_bytes_total", "Bytes of files delivered whole.")
	descPushOpen  = pushDesc("push_requests", "Requests under way.")
	descPushWait  = pushDesc("push_waiting", "Files and deletes that wait to be sent.")
)

func pushDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("headwater_"+name, help, append([]string{"mount", "destination"}, labels...), nil)
}

// Describe implements prometheus.Collector.
func (c pushCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descPushFiles, descPushBytes, descPushOpen, descPushWait} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c pushCollector) Collect(ch chan<- prometheus.Metric) {
	for _, p := range c.pushers {
		for i, s := range p.pusher.Stats() {
			to := strconv.Itoa(i)
			for result, n := range map[string]int64{
				"sent": s.Sent, "deleted": s.Deleted, "resent": s.Resent, "retried": s.Retried,
				"failed": s.Failed, "skipped": s.Skipped, "replaced": s.Replaced, "broken": s.Broken,
			} {
				ch <- prometheus.MustNewConstMetric(descPushFiles, prometheus.CounterValue, float64(n), p.path, to, result)
			}
			ch <- prometheus.MustNewConstMetric(descPushBytes, prometheus.CounterValue, float64(s.Bytes), p.path, to)
			ch <- prometheus.MustNewConstMetric(descPushOpen, prometheus.GaugeValue, float64(s.InFlight), p.path, to)
			ch <- prometheus.MustNewConstMetric(descPushWait, prometheus.GaugeValue, float64(s.Waiting), p.path, to)
		}
	}
}
