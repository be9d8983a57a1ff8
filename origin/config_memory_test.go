package origin

import (
	"testing"
	"testing/fstest"
)

func TestAvailableMemory(t *testing.T) {
	const meminfo = "MemFree:  1 kB\nMemTotal:        8388608 kB\nSwapTotal: 1 kB\n"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"nothing to read", nil, unknownMemory},
		{"machine", map[string]string{"proc/meminfo": meminfo}, 8 << 30},
		{"meminfo of another form", map[string]string{"proc/meminfo": "MemTotal: much\n"}, unknownMemory},
		{"version 2", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "1073741824\n",
		}, 1 << 30},
		{"version 2, no limit", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n",
		}, 8 << 30},
		{"version 2, limit of a group above", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "2147483648\n",
		}, 2 << 30},
		{"version 2 in a container that sees its group as the root", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/docker/1234\n", "sys/fs/cgroup/memory.max": "536870912\n",
		}, 512 << 20},
		{"version 1", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "9:cpu:/\n4:memory:/x\n0::/\n",
			"sys/fs/cgroup/memory/x/memory.limit_in_bytes": "268435456\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":   "9223372036854771712\n",
		}, 256 << 20},
		{"a limit above the machine", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "99999999999\n",
		}, 8 << 30},
		{"nonsense", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "what\n0::/../..\n", "sys/fs/cgroup/memory.max": "-5\n",
		}, 8 << 30},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := fstest.MapFS{}
			for name, data := range tt.files {
				root[name] = &fstest.MapFile{Data: []byte(data)}
			}
			if got := availableMemory(root); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestMemoryBytes(t *testing.T) {
	c := Config{Memory: 7}
	if got := c.MemoryBytes(); got != 7 {
		t.Errorf("7 bytes given, got %d", got)
	}
	c.Memory = 0
	if got := c.MemoryBytes(); got < 1 {
		t.Errorf("nothing given, got %d", got)
	}
}
