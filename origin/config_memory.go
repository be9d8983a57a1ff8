package origin

import (
	"bufio"
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// unknownMemory is taken where the machine does not tell how much it has.
const unknownMemory = 1 << 30

// MemoryBytes returns Memory, or, when that is 0, half of what this process may
// have: the least of the machine's memory and of the limits of its control
// groups (version 1 and 2).
func (c *Config) MemoryBytes() int64 {
	if c.Memory > 0 {
		return int64(c.Memory)
	}
	return availableMemory(os.DirFS("/")) / 2
}

// availableMemory reads proc and sys below root. It is at least 2.
func availableMemory(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	for _, n := range append(cgroupLimits(root), machineMemory(root)) {
		if n > 1 && n < least {
			least = n
		}
	}
	if least == math.MaxInt64 {
		return unknownMemory
	}
	return least
}

// machineMemory returns MemTotal of /proc/meminfo in bytes, 0 if not known.
func machineMemory(root fs.FS) int64 {
	f, err := root.Open("proc/meminfo")
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }() // it is only read
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if rest, ok := strings.CutPrefix(sc.Text(), "MemTotal:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 53)
			return kib << 10
		}
	}
	return 0
}

// cgroupLimits returns the limits of this process's groups and of all groups
// above them; the least one counts.
func cgroupLimits(root fs.FS) []int64 {
	data, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return nil
	}
	var limits []int64
	for line := range strings.Lines(string(data)) {
		// hierarchy:controllers:path; version 2 has no controllers.
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		switch f[1] {
		case "":
			limits = append(limits, limitsUpwards(root, "sys/fs/cgroup", f[2], "memory.max")...)
		case "memory":
			limits = append(limits, limitsUpwards(root, "sys/fs/cgroup/memory", f[2], "memory.limit_in_bytes")...)
		}
	}
	return limits
}

// limitsUpwards reads the file of the group and of each one above it. In a
// container the group's path may not exist below base; base itself then does.
func limitsUpwards(root fs.FS, base, group, file string) []int64 {
	var limits []int64
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		if data, err := fs.ReadFile(root, path.Join(base, group, file)); err == nil {
			// "max" and version 1's huge number both mean no limit.
			if n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil {
				limits = append(limits, n)
			}
		}
		if group == "/" {
			return limits
		}
	}
}
