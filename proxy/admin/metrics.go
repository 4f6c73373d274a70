package admin

import (
	"errors"
	"net/http"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/influx"
	"github.com/weft-mesh/weft/telemetry/prom"
)

func (x *site) metrics(w http.ResponseWriter, r *http.Request) {
	o, err := telemetry.ParseJSONOptions(r.URL.RawQuery)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	w.Header().Set("Content-Type", typeJSON)
	// Any other error is that nobody is left to be told.
	if err = telemetry.WriteJSON(w, x.opts.Tree, o); errors.Is(err, telemetry.ErrNoSubtree) {
		refuse(w, http.StatusNotFound, err)
	}
}

// refuse says in JSON why there are no metrics.
func refuse(w http.ResponseWriter, status int, err error) {
	text, bad := marshal(err.Error())
	if bad != nil {
		text = []byte(`""`)
	}
	write(w, status, typeJSON, append(append([]byte(`{"error": `), text...), '}'))
}

func (x *site) prometheus(w http.ResponseWriter, r *http.Request) {
	o := prom.Options{Prefix: x.opts.PrometheusPrefix, Compatible: x.opts.PrometheusCompatible, Memory: &x.scrapes}
	o, err := o.Negotiate(r.Header.Values("Accept"), r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", o.ContentType())
	w.Header().Set("Vary", "Accept")
	_ = prom.Write(w, x.opts.Tree, o) // nobody is left to be told
}

func (x *site) influx(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", influx.ContentType)
	_ = influx.Write(w, x.opts.Tree, influx.Options{Host: r.Host}) // nobody is left to be told
}
