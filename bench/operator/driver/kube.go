package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// kube is a bare client of the API server: the driver must weigh little beside what it measures.
type kube struct {
	server, token string
	hc            *http.Client
}

func newKube() *kube {
	out, err := exec.Command("kubectl", "config", "view", "--raw", "-o", "json", "--minify").Output()
	must(err)
	var c struct {
		Clusters []struct {
			Cluster struct {
				Server   string `json:"server"`
				CA       []byte `json:"certificate-authority-data"`
				Insecure bool   `json:"insecure-skip-tls-verify"`
			} `json:"cluster"`
		} `json:"clusters"`
		Users []struct {
			User struct {
				Token string `json:"token"`
				Cert  []byte `json:"client-certificate-data"`
				Key   []byte `json:"client-key-data"`
			} `json:"user"`
		} `json:"users"`
	}
	must(json.Unmarshal(out, &c))
	u := c.Users[0].User
	cl := c.Clusters[0].Cluster
	t := &tls.Config{InsecureSkipVerify: cl.Insecure}
	if len(cl.CA) > 0 {
		t.RootCAs = x509.NewCertPool()
		t.RootCAs.AppendCertsFromPEM(cl.CA)
	}
	if len(u.Cert) > 0 {
		p, err := tls.X509KeyPair(u.Cert, u.Key)
		must(err)
		t.Certificates = []tls.Certificate{p}
	}
	return &kube{server: cl.Server, token: u.Token,
		hc: &http.Client{Transport: &http.Transport{TLSClientConfig: t, MaxIdleConnsPerHost: 64}}}
}

func (k *kube) do(ctx context.Context, method, path, ctype string, body any) (*http.Response, error) {
	var r io.Reader
	if body != nil {
		b, _ := json.Marshal(body)
		r = bytes.NewReader(b)
	}
	req, _ := http.NewRequestWithContext(ctx, method, k.server+path, r)
	if ctype == "" {
		ctype = "application/json"
	}
	req.Header.Set("Content-Type", ctype)
	if k.token != "" {
		req.Header.Set("Authorization", "Bearer "+k.token)
	}
	return k.hc.Do(req)
}

func (k *kube) call(method, path, ctype string, body any, out any) (int, error) {
	resp, err := k.do(context.Background(), method, path, ctype, body)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if out != nil {
		_ = json.Unmarshal(b, out)
	}
	if resp.StatusCode >= 300 {
		return resp.StatusCode, fmt.Errorf("%s %s: %d %.200s", method, path, resp.StatusCode, b)
	}
	return resp.StatusCode, nil
}

// writes sums the API server's own count of write requests, by resource.
func (k *kube) writes() map[string]float64 {
	resp, err := k.do(context.Background(), "GET", "/metrics", "", nil)
	must(err)
	defer resp.Body.Close()
	m := map[string]float64{"params": 0, "params/status": 0, "configmaps": 0, "events": 0, "leases": 0}
	re := regexp.MustCompile(`(\w+)="([^"]*)"`)
	sc := bufio.NewScanner(resp.Body)
	sc.Buffer(make([]byte, 1<<20), 1<<20)
	for sc.Scan() {
		l := sc.Text()
		if !strings.HasPrefix(l, "apiserver_request_total{") {
			continue
		}
		lab := map[string]string{}
		for _, x := range re.FindAllStringSubmatch(l, -1) {
			lab[x[1]] = x[2]
		}
		switch lab["verb"] {
		case "GET", "LIST", "WATCH", "CONNECT", "WATCHLIST":
			continue
		}
		key := lab["resource"]
		if lab["subresource"] != "" {
			key += "/" + lab["subresource"]
		}
		if _, ok := m[key]; ok {
			v, _ := strconv.ParseFloat(l[strings.LastIndexByte(l, ' ')+1:], 64)
			m[key] += v
		}
	}
	return m
}

// watch follows a collection and keeps what it sees of one field of each object. A watch that has expired lists again.
func (k *kube) watch(ctx context.Context, base string, s *seen, part, field string) {
	feed := func(o map[string]any, at int64) string {
		md, _ := o["metadata"].(map[string]any)
		name, _ := md["name"].(string)
		in, _ := o[part].(map[string]any)
		switch v := in[field].(type) {
		case float64:
			s.add(name, int64(v), at)
		case string:
			if n, err := strconv.ParseInt(v, 10, 64); err == nil {
				s.add(name, n, at)
			}
		}
		version, _ := md["resourceVersion"].(string)
		return version
	}
	list := func() string {
		var l struct {
			Metadata struct{ ResourceVersion string }
			Items    []map[string]any
		}
		_, err := k.call("GET", base, "", nil, &l)
		must(err)
		for _, o := range l.Items {
			feed(o, now())
		}
		return l.Metadata.ResourceVersion
	}
	version := list()
	go func() {
		for ctx.Err() == nil {
			query := "?watch=1&allowWatchBookmarks=true&timeoutSeconds=3600&resourceVersion=" + version
			resp, err := k.do(ctx, "GET", base+query, "", nil)
			if err != nil {
				time.Sleep(100 * time.Millisecond)
				continue
			}
			d := json.NewDecoder(bufio.NewReaderSize(resp.Body, 1<<16))
			for {
				var e struct {
					Type   string
					Object map[string]any
				}
				if d.Decode(&e) != nil {
					break
				}
				at := now()
				if e.Type == "ERROR" {
					version = list()
					break
				}
				if v := feed(e.Object, at); v != "" {
					version = v
				}
			}
			resp.Body.Close()
		}
	}()
}
