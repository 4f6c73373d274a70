package naming

// observer is one registration with an observer's context.
type observer struct {
	stop       func() bool // takes it back
	prev, next *observer
}

// observers are those of a watch: a list, since most watches have one and some thousands.
type observers struct {
	first *observer
	n     int
}

func (l *observers) add() *observer {
	o := &observer{next: l.first}
	if l.first != nil {
		l.first.prev = o
	}
	l.first = o
	l.n++
	return o
}

// remove takes out o, which is in the list.
func (l *observers) remove(o *observer) {
	if o.prev == nil {
		l.first = o.next
	} else {
		o.prev.next = o.next
	}
	if o.next != nil {
		o.next.prev = o.prev
	}
	l.n--
}
