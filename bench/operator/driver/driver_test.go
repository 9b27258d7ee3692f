package main

import "testing"

func TestSeen(t *testing.T) {
	s := newSeen()
	s.add("a", 2, 10)
	s.add("a", 5, 20)
	s.add("a", 4, 30) // an old value seen late is no progress
	if at, ok := s.when("a", 3); !ok || at != 20 || s.exactly("a", 3) {
		t.Fatal(at, ok)
	}
	if _, ok := s.when("a", 6); ok {
		t.Fatal("6 was never seen")
	}
	if s.reached(map[string]int64{"a": 6}) || !s.reached(map[string]int64{"a": 5}) {
		t.Fatal("reached")
	}
}

func TestStats(t *testing.T) {
	var x []float64
	for i := 100; i > 0; i-- {
		x = append(x, float64(i))
	}
	if s := stats(x); s != (lat{100, 50, 90, 99, 100}) {
		t.Fatal(s)
	}
}
