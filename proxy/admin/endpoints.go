package admin

import (
	"net/http"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport"
)

// endpoints shows the names, clients and endpoints of the routers, or of the one
// router or client that the query names, and says of each endpoint why it is or is
// not being picked.
func (x *site) endpoints(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	only, o := query.Get("router"), transport.ViewOptions{}
	if text := query.Get("client"); text != "" {
		var err error
		if o.Client, err = dtab.ParsePath(text); err != nil {
			writeText(w, http.StatusBadRequest, "admin: endpoints: client: "+err.Error())
			return
		}
	}
	page := endpointsPage{Routers: []endpointsRouter{}}
	for i := range x.opts.Routers {
		router := &x.opts.Routers[i]
		if only != "" && only != router.Label {
			continue
		}
		shown := endpointsRouter{
			Router: router.Label, Protocol: router.Protocol, Services: []endpointsService{}, Clients: []endpointsClient{},
		}
		if router.View != nil {
			shown.add(router.View(o))
		}
		page.Routers = append(page.Routers, shown)
	}
	if only != "" && len(page.Routers) == 0 {
		writeText(w, http.StatusNotFound, "admin: endpoints: there is no router "+only)
		return
	}
	writeJSON(w, typeJSON, page)
}

// The types below are the JSON of /endpoints.json.
type endpointsPage struct {
	Routers []endpointsRouter `json:"routers"`
}

type endpointsRouter struct {
	Router   string             `json:"router"`
	Protocol string             `json:"protocol"`
	Services []endpointsService `json:"services"`
	Clients  []endpointsClient  `json:"clients"`
}

type endpointsService struct {
	Service     string          `json:"service"`
	Pending     int64           `json:"pending"`
	Retrying    int64           `json:"retrying"`
	RetryBudget endpointsBudget `json:"retryBudget"`
	Clients     []string        `json:"clients"`
	Error       string          `json:"error,omitempty"`
}

type endpointsBudget struct {
	Balance             int     `json:"balance"`
	PercentCanRetry     float64 `json:"percentCanRetry"`
	MinRetriesPerSecond int     `json:"minRetriesPerSec"`
	TTLSeconds          float64 `json:"ttlSecs"`
}

type endpointsClient struct {
	Client        string            `json:"client"`
	State         string            `json:"state"`
	Status        string            `json:"status"`
	Balancer      string            `json:"balancer"`
	RequeueBudget endpointsBudget   `json:"requeueBudget"`
	Size          int               `json:"size"`
	Available     int               `json:"available"`
	Aperture      int               `json:"aperture,omitempty"`
	Endpoints     []endpointsMember `json:"endpoints"`
}

type endpointsMember struct {
	Address  string            `json:"address"`
	Weight   float64           `json:"weight"`
	Metadata map[string]string `json:"metadata"`
	Status   string            `json:"status"`

	// Load is outstanding requests or, of latency policies, milliseconds times these.
	Load        float64               `json:"load"`
	EWMAMs      float64               `json:"ewmaMs"`
	Pending     int64                 `json:"pending"`
	Breaker     endpointsBreaker      `json:"breaker"`
	FailFast    *endpointsFailFast    `json:"failFast,omitempty"`
	Connections *endpointsConnections `json:"connections,omitempty"`
	InAperture  bool                  `json:"inAperture"`
	WeightClass *endpointsClass       `json:"weightClass,omitempty"`
	Pickable    bool                  `json:"pickable"`
	Why         string                `json:"why"`
}

type endpointsBreaker struct {
	State     string `json:"state"`
	Policy    string `json:"policy"`
	Standing  string `json:"standing,omitempty"`
	Failures  int    `json:"failures"`
	OpenForMs int64  `json:"openForMs"`
	RetryInMs int64  `json:"retryInMs"`
}

type endpointsFailFast struct {
	Error     string `json:"error"`
	Failed    int    `json:"failedProbes"`
	DownForMs int64  `json:"downForMs"`
	RetryInMs int64  `json:"retryInMs"`
}

type endpointsConnections struct {
	Open int `json:"open"`
	Idle int `json:"idle"`
}

type endpointsClass struct {
	Weight    float64 `json:"weight"`
	Size      int     `json:"size"`
	Available int     `json:"available"`
	Share     float64 `json:"share"`
}
