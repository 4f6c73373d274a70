package meshh2

const viaSelf = "h2 linkerd"

// AppendVia adds this hop to the via field of a request or a response. Several
// fields become one.
func AppendVia(h *Head) {
	first, more := -1, false
	for i := range h.Fields {
		if h.Fields[i].Name != nameVia {
			continue
		}
		if first < 0 {
			first = i
			continue
		}
		h.Fields[first].Value += ", " + h.Fields[i].Value
		more = true
	}
	switch {
	case first < 0:
		h.add(nameVia, viaSelf)
		return
	case more:
		h.remove(nameVia, first+1)
	}
	h.Fields[first].Value += ", " + viaSelf
}
