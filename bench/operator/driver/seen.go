package main

import "sync"

// seen is every value that was observed of each object, on the driver's one clock.
type seen struct {
	mu  sync.Mutex
	all map[string][]observation
}

type observation struct{ at, value int64 }

func newSeen() *seen { return &seen{all: map[string][]observation{}} }

// add keeps what is newer than all before: an old value seen late is no progress.
func (s *seen) add(name string, value, at int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if all := s.all[name]; len(all) == 0 || value > all[len(all)-1].value {
		s.all[name] = append(all, observation{at, value})
	}
}

func (s *seen) reached(want map[string]int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, value := range want {
		if all := s.all[name]; len(all) == 0 || all[len(all)-1].value < value {
			return false
		}
	}
	return true
}

// when gives the first time at which name showed value or later.
func (s *seen) when(name string, value int64) (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.all[name] {
		if o.value >= value {
			return o.at, true
		}
	}
	return 0, false
}

func (s *seen) exactly(name string, value int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.all[name] {
		if o.value == value {
			return true
		}
	}
	return false
}
