package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

const ticksPerSecond = 100 // of the clock in /proc, on every Linux there is

// spent is the processor time of a process in seconds.
func spent(pid int) float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The second field is the name in brackets, which may hold blanks; user and system time are the 14th and 15th.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	user, _ := strconv.Atoi(string(fields[11]))
	system, _ := strconv.Atoi(string(fields[12]))
	return float64(user+system) / ticksPerSecond
}

// peak is the most memory a process has had resident, in megabytes.
func peak(pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, _ := strconv.Atoi(strings.Fields(rest)[0])
	return float64(kilobytes) * 1024 / 1e6
}

// quantile is in milliseconds.
func quantile(took []time.Duration, part float64) float64 {
	sorted := slices.Sorted(slices.Values(took))
	return float64(sorted[int(part*float64(len(sorted)-1))].Microseconds()) / 1000
}
