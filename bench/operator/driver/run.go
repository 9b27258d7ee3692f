package main

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"
)

const params = "/apis/bench.tradewind.io/v1/namespaces/%s/params"

type lat struct {
	N   int     `json:"n"`
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// result is one target's round. Times in ms unless they say s.
type result struct {
	Target     string             `json:"target"`
	N          int                `json:"n"`
	Round      int                `json:"round"`
	Load       string             `json:"loadavg"`
	FirstS     float64            `json:"coldFirstS"`
	ColdS      float64            `json:"coldAllS"`
	ColdDone   int                `json:"coldReconciled"`
	ColdCPU    float64            `json:"coldCpuS"`
	IdleS      float64            `json:"idleS"`
	IdleCPU    float64            `json:"idleCpuS"`
	IdleRSS    float64            `json:"idleRssMb"`
	IdleWrites map[string]float64 `json:"idleWrites"`
	Changes    int                `json:"changes"`
	Patch      lat                `json:"driverPatchMs"`
	Applied    lat                `json:"appliedMs"`
	Status     lat                `json:"statusMs"`
	Coalesced  int                `json:"coalesced"`
	Lost       int                `json:"lost"`
	LoadCPU    float64            `json:"loadCpuS"`
	LoadRSS    float64            `json:"loadRssMb"`
	PeakRSS    float64            `json:"peakRssMb"`
	LoadWrites map[string]float64 `json:"loadWrites"`
	Exits      int                `json:"exits"`
}

type change struct {
	name     string
	seq      int64
	sent, rt int64
	failed   bool
}

func round(x, unit float64) float64 { return float64(int64(x/unit+.5)) * unit }

// stats by nearest rank, as bench/stats.ts has it
func stats(x []float64) lat {
	if len(x) == 0 {
		return lat{}
	}
	sort.Float64s(x)
	q := func(p float64) float64 {
		rank := int(p*float64(len(x)) + .9999999)
		return round(x[min(len(x)-1, max(0, rank-1))], .01)
	}
	return lat{len(x), q(.5), q(.9), q(.99), round(x[len(x)-1], .01)}
}

// load is what one target works on: n Params in a namespace of its own, and what was seen of them.
type load struct {
	k              *kube
	path           string
	names          []string
	locks          []sync.Mutex
	mu             sync.Mutex
	seq            int64
	want           map[string]int64
	applied, state *seen
	wg             sync.WaitGroup
	changes        []*change
}

func spec(seq int64) map[string]any {
	return map[string]any{"value": fmt.Sprintf("v%d", seq), "seq": seq}
}

func (b *bench) newLoad(ns string, n int) *load {
	l := &load{k: b.k, path: fmt.Sprintf(params, ns), names: make([]string, n), locks: make([]sync.Mutex, n),
		want: map[string]int64{}, applied: newSeen(), state: newSeen()}
	sem := make(chan bool, 16)
	for i := range l.names {
		l.names[i] = fmt.Sprintf("p%04d", i)
		l.seq++
		l.want[l.names[i]] = l.seq
		l.wg.Add(1)
		sem <- true
		go func(seq int64) {
			defer func() { <-sem; l.wg.Done() }()
			o := map[string]any{"apiVersion": "bench.tradewind.io/v1", "kind": "Param",
				"metadata": map[string]any{"name": l.names[i]}, "spec": spec(seq)}
			_, err := b.k.call("POST", l.path, "", o, nil)
			must(err)
		}(l.seq)
	}
	l.wg.Wait()
	return l
}

// settled waits until everything wanted was seen, both applied and in status.
func (l *load) settled(d time.Duration) bool {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		l.mu.Lock()
		ok := l.applied.reached(l.want) && l.state.reached(l.want)
		l.mu.Unlock()
		if ok {
			return true
		}
	}
	return false
}

// change patches a Param chosen at random; two changes of one Param keep their order.
func (l *load) change() {
	i := rand.Intn(len(l.names))
	c := &change{name: l.names[i]}
	l.changes = append(l.changes, c)
	l.wg.Add(1)
	go func() {
		defer l.wg.Done()
		l.locks[i].Lock()
		defer l.locks[i].Unlock()
		l.mu.Lock()
		l.seq++
		c.seq = l.seq
		l.mu.Unlock()
		c.sent = now()
		_, err := l.k.call("PATCH", l.path+"/"+c.name, "application/merge-patch+json", map[string]any{"spec": spec(c.seq)}, nil)
		if err != nil {
			c.failed = true
			fmt.Fprintln(os.Stderr, "  patch:", err)
			return
		}
		c.rt = now() - c.sent
		l.mu.Lock()
		l.want[c.name] = c.seq
		l.mu.Unlock()
	}()
}

// cold gives the seconds from start until the first and until all Params were applied and had their status.
func (l *load) cold(start int64, res *result) {
	first, last := int64(1<<62), start
	for name, seq := range l.want {
		ta, isApplied := l.applied.when(name, seq)
		ts, isTold := l.state.when(name, seq)
		if isApplied && isTold {
			res.ColdDone++
			first, last = min(first, ta), max(last, ta, ts)
		}
	}
	res.FirstS, res.ColdS = round(float64(first-start)/1e9, .001), round(float64(last-start)/1e9, .001)
}

func (l *load) judge(res *result) {
	var applied, told, patched []float64
	for _, c := range l.changes {
		if c.failed {
			continue
		}
		res.Changes++
		patched = append(patched, float64(c.rt)/1e6)
		ta, isApplied := l.applied.when(c.name, c.seq)
		ts, isTold := l.state.when(c.name, c.seq)
		if !isApplied || !isTold {
			res.Lost++
			continue
		}
		applied, told = append(applied, float64(ta-c.sent)/1e6), append(told, float64(ts-c.sent)/1e6)
		if !l.applied.exactly(c.name, c.seq) {
			res.Coalesced++
		}
	}
	res.Patch, res.Applied, res.Status = stats(patched), stats(applied), stats(told)
}

// run is one target's round: started cold, left idle, put under load, removed.
func (b *bench) run(t *target, n, roundNo int) (res result) {
	ns := fmt.Sprintf("bench-%s-%d-%d-%d", t.Name, n, roundNo, os.Getpid())
	res = result{Target: t.Name, N: n, Round: roundNo}
	la, _ := os.ReadFile("/proc/loadavg")
	res.Load = strings.Join(strings.Fields(string(la))[:3], " ")
	_, err := b.k.call("POST", "/api/v1/namespaces", "", map[string]any{"metadata": map[string]any{"name": ns}}, nil)
	must(err)
	l := b.newLoad(ns, n)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.k.watch(ctx, l.path, l.state, "status", "observedSeq")
	b.k.watch(ctx, "/api/v1/namespaces/"+ns+"/configmaps", l.applied, "data", "seq")
	time.Sleep(2 * time.Second)

	logf, err := os.Create(filepath.Join(b.logs, ns+".log"))
	must(err)
	defer logf.Close()
	start := now()
	p := startProc(func() *exec.Cmd {
		c := exec.Command(t.Cmd[0], t.Cmd[1:]...)
		c.Stdout, c.Stderr = logf, logf
		c.Env = append(os.Environ(), "NS="+ns)
		for name, value := range t.Env {
			c.Env = append(c.Env, name+"="+value)
		}
		return c
	})
	l.settled(180 * time.Second)
	l.cold(start, &res)
	res.ColdCPU, _ = p.sample()
	res.ColdCPU = round(res.ColdCPU, .01)
	fmt.Fprintf(os.Stderr, "%s n=%d round %d: cold %.2f s (%d reconciled)\n", t.Name, n, roundNo, res.ColdS, res.ColdDone)
	time.Sleep(5 * time.Second)
	b.stayIdle(p, &res)
	b.underLoad(l, p, &res)
	fmt.Fprintf(os.Stderr, "%s n=%d round %d: applied %.1f / %.1f ms, status %.1f / %.1f ms\n", t.Name, n, roundNo,
		res.Applied.P50, res.Applied.P99, res.Status.P50, res.Status.P99)
	res.PeakRSS = round(float64(p.peak)/1024, .1)
	res.Exits = p.exits
	p.stop()
	cancel()
	b.remove(ns, l.path)
	return res
}

func (b *bench) stayIdle(p *proc, res *result) {
	before := b.k.writes()
	cpu, _ := p.sample()
	p.mark()
	began := time.Now()
	time.Sleep(b.idle)
	after, _ := p.sample()
	res.IdleS = round(time.Since(began).Seconds(), .1)
	res.IdleRSS, res.IdleCPU = p.rssMB(), round(after-cpu, .01)
	res.IdleWrites = b.delta(before, b.k.writes(), time.Since(began), 0)
}

func (b *bench) underLoad(l *load, p *proc, res *result) {
	before := b.k.writes()
	cpu, _ := p.sample()
	p.mark()
	began := time.Now()
	total := int(b.rate * b.dur.Seconds())
	for i := range total {
		if d := time.Until(began.Add(time.Duration(float64(i) / b.rate * 1e9))); d > 0 {
			time.Sleep(d)
		}
		l.change()
	}
	l.wg.Wait()
	l.settled(30 * time.Second)
	time.Sleep(time.Second)
	after, _ := p.sample()
	res.LoadCPU, res.LoadRSS = round(after-cpu, .01), p.rssMB()
	res.LoadWrites = b.delta(before, b.k.writes(), time.Since(began), float64(total))
	l.judge(res)
}

// background counts what the cluster writes while nobody asks for anything, per second.
func (b *bench) background(d time.Duration) map[string]float64 {
	before := b.k.writes()
	time.Sleep(d)
	after := b.k.writes()
	rates := map[string]float64{}
	for _, name := range []string{"leases", "events"} {
		rates[name] = (after[name] - before[name]) / d.Seconds()
	}
	return rates
}

// delta is what was written meanwhile, the cluster's own writes and the driver's patches taken off.
func (b *bench) delta(before, after map[string]float64, d time.Duration, own float64) map[string]float64 {
	m := map[string]float64{}
	for name := range after {
		v := after[name] - before[name] - b.base[name]*d.Seconds()
		if name == "params" {
			v -= own
		}
		if v = round(v, .1); v != 0 {
			m[name] = v
		}
	}
	return m
}

func (b *bench) remove(ns, path string) {
	configMaps := "/api/v1/namespaces/" + ns + "/configmaps"
	for _, all := range []string{path, configMaps} {
		_, _ = b.k.call("DELETE", all, "", nil, nil)
	}
	// No controller removes the namespace here: what it held is gone, and its name is used once.
	_, _ = b.k.call("DELETE", "/api/v1/namespaces/"+ns, "", nil, nil)
	time.Sleep(2 * time.Second)
}
