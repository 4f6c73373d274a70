package admin

import (
	"errors"
	"net/http"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/influx"
	"github.com/weft-mesh/weft/telemetry/prom"
)

func (x *site) metrics(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", typeJSON)
	err := telemetry.WriteJSON(w, x.opts.Tree, telemetry.ParseJSONOptions(r.URL.Query()))
	if !errors.Is(err, telemetry.ErrNoSubtree) {
		return // written, or nobody is left to be told
	}
	text, err := marshal(err.Error())
	if err != nil {
		text = []byte(`""`)
	}
	write(w, http.StatusNotFound, typeJSON, append(append([]byte(`{"error": `), text...), '}'))
}

func (x *site) prometheus(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", prom.ContentType)
	_ = prom.Write(w, x.opts.Tree, prom.Options{Prefix: x.opts.PrometheusPrefix}) // nobody is left to be told
}

func (x *site) influx(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", influx.ContentType)
	_ = influx.Write(w, x.opts.Tree, influx.Options{Host: r.Host}) // nobody is left to be told
}
