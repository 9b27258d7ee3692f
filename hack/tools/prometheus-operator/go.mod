// Only its CRDs are used, by tests: hack/prometheus-crds.ts.
module tradewind.io/hack/prometheus-operator

go 1.25

require github.com/prometheus-operator/prometheus-operator v0.86.1
