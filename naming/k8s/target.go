package k8s

// target says which port of endpoints is meant: a number or else the first of names
// that they have.
type target struct {
	number int32
	names  []string
}

// target returns where a port of a service leads. Endpoints carry the name of the
// service's port; the name of the pod's port is what the original looks for.
func (p servicePort) target() target {
	if p.targetNumber > 0 {
		return target{number: p.targetNumber}
	}
	return target{names: []string{p.name, p.targetName}}
}

// candidates returns the endpoints of slices at a port, and whether there is such a
// port, with endpoints or without.
func candidates(all []object[slice], t target) ([]candidate, bool) {
	name := ""
	if t.number <= 0 {
		found := false
		for _, name = range t.names {
			if found = listed(all, name); found {
				break
			}
		}
		if !found {
			return nil, false
		}
	}
	var list []candidate
	pods := map[string]struct{}{}
	for _, ipv6 := range []bool{false, true} {
		for _, o := range all {
			number, ok := t.number, true
			if t.number <= 0 {
				number, ok = o.v.numbered(name)
			}
			if !ok || o.v.ipv6 != ipv6 {
				continue
			}
			for _, e := range o.v.endpoints {
				// A pod with addresses of both families is one endpoint.
				if _, twice := pods[e.uid]; ipv6 && twice {
					continue
				}
				list = append(list, candidate{e, number})
			}
		}
		if !ipv6 {
			for _, c := range list {
				if c.uid != "" {
					pods[c.uid] = struct{}{}
				}
			}
		}
	}
	return list, true
}

func listed(all []object[slice], name string) bool {
	for _, o := range all {
		if _, ok := o.v.numbered(name); ok {
			return true
		}
	}
	return false
}

// numbered returns the number of the port with that name.
func (s slice) numbered(name string) (int32, bool) {
	for _, p := range s.ports {
		if p.name == name && p.number > 0 {
			return p.number, true
		}
	}
	return 0, false
}
