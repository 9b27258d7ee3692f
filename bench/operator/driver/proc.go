package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// proc is one operator: its process group's memory and processor time, sampled from /proc.
type proc struct {
	mu       sync.Mutex
	cmd      *exec.Cmd
	done     chan struct{}
	stopping bool
	exits    int
	rss      []int64 // kB since mark()
	peak     int64
	quit     chan struct{}
}

func startProc(mk func() *exec.Cmd) *proc {
	p := &proc{quit: make(chan struct{})}
	p.launch(mk())
	go func() {
		for {
			select {
			case <-p.quit:
				return
			case <-time.After(200 * time.Millisecond):
				_, r := p.sample()
				p.mu.Lock()
				p.rss = append(p.rss, r)
				p.peak = max(p.peak, r)
				p.mu.Unlock()
			}
		}
	}()
	return p
}

func (p *proc) launch(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(c.Start())
	p.cmd, p.done = c, make(chan struct{})
	go func() {
		_ = c.Wait()
		close(p.done)
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.stopping {
			p.exits++
			fmt.Fprintln(os.Stderr, "  operator exited:", c.ProcessState)
		}
	}()
}

// sample: processor seconds and resident kB of the whole group
func (p *proc) sample() (cpu float64, rss int64) {
	pg := strconv.Itoa(p.cmd.Process.Pid)
	fs, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range fs {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		s := string(b)
		x := strings.Fields(s[strings.LastIndexByte(s, ')')+2:])
		if x[2] != pg {
			continue
		}
		u, _ := strconv.ParseFloat(x[11], 64)
		y, _ := strconv.ParseFloat(x[12], 64)
		r, _ := strconv.ParseInt(x[21], 10, 64)
		cpu += (u + y) / 100
		rss += r * 4
	}
	return
}

func (p *proc) mark() {
	p.mu.Lock()
	p.rss = nil
	p.mu.Unlock()
}

// median of the samples since mark(), MB
func (p *proc) rssMB() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.rss) == 0 {
		return 0
	}
	r := append([]int64(nil), p.rss...)
	sort.Slice(r, func(i, j int) bool { return r[i] < r[j] })
	return round(float64(r[len(r)/2])/1024, .1)
}

func (p *proc) stop() {
	p.mu.Lock()
	p.stopping = true
	pid, done := p.cmd.Process.Pid, p.done
	p.mu.Unlock()
	_ = syscall.Kill(-pid, syscall.SIGTERM)
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		<-done
	}
	close(p.quit)
}
