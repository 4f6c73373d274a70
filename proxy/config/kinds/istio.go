package kinds

import "github.com/weft-mesh/weft/proxy/config"

// The kinds for Istio need servers that no Istio has had for years, so that there is
// nothing to implement: configurations with them are told what happened.
const (
	pilotGone = "it needs the REST API of Istio's Pilot (/v1/registration, /v1/routes) and Istio's v1alpha1 route rules, " +
		"which Istio replaced in 0.8 and removed in 1.0, in 2018; "
	mixerGone = "it needs Istio's Mixer, which Istio deprecated in 1.5 and removed in 1.8, in 2020; "

	insteadOfPilot = "use the namer io.l5d.k8s for endpoints, weighted rules in a dtab (interpreter io.l5d.k8s.configMap) for route rules, " +
		"and the identifier io.l5d.ingress for ingresses"
	insteadOfMixer = "leave it out, and let what stands in front of the router or behind it authorize requests"
)

// istio returns the traits of a kind that asks Pilot.
func istio() config.Traits { return config.Traits{Gone: pilotGone + insteadOfPilot} }

// experimentalIstio does so for those that were experimental.
func experimentalIstio() config.Traits {
	t := istio()
	t.Experimental = true
	return t
}

// mixer returns the traits of a kind that asks Mixer.
func mixer() config.Traits { return config.Traits{Gone: mixerGone + insteadOfMixer} }
