// The peer: the job of ../param.ts on controller-runtime, as its guide writes it: Param → ConfigMap by server-side apply →
// status.observedSeq, and drift repair by watching the ConfigMaps it owns. Library defaults but for CONCURRENCY.
package main

import (
	"context"
	"os"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

var gv = schema.GroupVersion{Group: "bench.tradewind.io", Version: "v1"}

type ParamSpec struct {
	Value string `json:"value"`
	Seq   int64  `json:"seq"`
}
type ParamStatus struct {
	ObservedSeq *int64 `json:"observedSeq,omitempty"`
}
type Param struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              ParamSpec   `json:"spec"`
	Status            ParamStatus `json:"status,omitempty"`
}
type ParamList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Param `json:"items"`
}

func (p *Param) DeepCopyObject() runtime.Object {
	o := *p
	p.ObjectMeta.DeepCopyInto(&o.ObjectMeta)
	return &o
}
func (l *ParamList) DeepCopyObject() runtime.Object {
	o := *l
	o.Items = make([]Param, len(l.Items))
	for i := range l.Items {
		o.Items[i] = *l.Items[i].DeepCopyObject().(*Param)
	}
	return &o
}

type reconciler struct{ client.Client }

func (r *reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var p Param
	if err := r.Get(ctx, req.NamespacedName, &p); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	cm := corev1ac.ConfigMap(p.Name, p.Namespace).
		WithData(map[string]string{"value": p.Spec.Value, "seq": strconv.FormatInt(p.Spec.Seq, 10)}).
		WithOwnerReferences(metav1ac.OwnerReference().WithAPIVersion(gv.String()).WithKind("Param").
			WithName(p.Name).WithUID(p.UID).WithController(true).WithBlockOwnerDeletion(true))
	if err := r.Apply(ctx, cm, client.FieldOwner("bench-controller-runtime"), client.ForceOwnership); err != nil {
		return ctrl.Result{}, err
	}
	if p.Status.ObservedSeq != nil && *p.Status.ObservedSeq == p.Spec.Seq {
		return ctrl.Result{}, nil
	}
	base := p.DeepCopyObject().(*Param)
	seq := p.Spec.Seq
	p.Status.ObservedSeq = &seq
	return ctrl.Result{}, r.Status().Patch(ctx, &p, client.MergeFrom(base))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	ctrl.SetLogger(zap.New())
	scheme := runtime.NewScheme()
	must(clientgoscheme.AddToScheme(scheme))
	scheme.AddKnownTypes(gv, &Param{}, &ParamList{})
	metav1.AddToGroupVersion(scheme, gv)
	mgr, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{
		Scheme:  scheme,
		Metrics: server.Options{BindAddress: "0"},
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{os.Getenv("NS"): {}}},
	})
	must(err)
	n, _ := strconv.Atoi(os.Getenv("CONCURRENCY")) // 0: the default, 1
	must(ctrl.NewControllerManagedBy(mgr).
		For(&Param{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&corev1.ConfigMap{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: n}).
		Complete(&reconciler{mgr.GetClient()}))
	must(mgr.Start(ctrl.SetupSignalHandler()))
}
