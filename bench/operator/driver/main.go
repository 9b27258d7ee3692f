// driver measures operators that all do one job: a changed field of a Param appears in a ConfigMap of its name, then in the
// Param's status. It sends the changes, watches both kinds, and reads the operators' memory and processor time: one process,
// one monotonic clock. Called by ../operator.ts, which reads one JSON object per line from its standard output.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

// target is one operator: its command line, and what it finds in its environment beside the driver's own.
type target struct {
	Name string
	Cmd  []string
	Env  map[string]string
}

type bench struct {
	k         *kube
	logs      string
	rate      float64
	dur, idle time.Duration
	base      map[string]float64 // writes per second of the cluster itself
}

var t0 = time.Now()

func now() int64 { return int64(time.Since(t0)) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	n := flag.Int("n", 1000, "how many Params")
	rate := flag.Float64("rate", 20, "changes per second")
	dur := flag.Duration("dur", 20*time.Second, "how long they come")
	idle := flag.Duration("idle", 60*time.Second, "how long nothing happens before")
	rounds := flag.Int("rounds", 3, "rounds; the targets take turns inside of each")
	logs := flag.String("logs", os.TempDir(), "folder of the operators' logs")
	flag.Parse()
	var targets []target
	must(json.NewDecoder(os.Stdin).Decode(&targets))
	b := &bench{k: newKube(), logs: *logs, rate: *rate, dur: *dur, idle: *idle}
	b.base = b.background(10 * time.Second)
	for r := 1; r <= *rounds; r++ {
		for i := range targets {
			// Who goes first changes from round to round.
			line, err := json.Marshal(b.run(&targets[(i+r-1)%len(targets)], *n, r))
			must(err)
			fmt.Println(string(line))
		}
	}
}
