package rollout

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// Weight is a share of the traffic in hundredths of a percent, of which the text of
// a dtab can show every one. 100 is 1 %.
type Weight int

// Percent returns the weight of n percent.
func Percent(n int) Weight { return Weight(n) * 100 }

// All is all of the traffic.
const All Weight = 100_00

// ParseWeight reads a percentage such as "10%" or "0.5 %".
func ParseWeight(s string) (Weight, error) {
	number, ok := strings.CutSuffix(strings.TrimSpace(s), "%")
	whole, frac, _ := strings.Cut(strings.TrimSpace(number), ".")
	if !ok || whole == "" || len(whole) > 3 || len(frac) > 2 {
		return 0, weightError(s)
	}
	n, err := strconv.ParseUint(whole+(frac + "00")[:2], 10, 32)
	if err != nil || Weight(n) > All {
		return 0, weightError(s)
	}
	return Weight(n), nil
}

func weightError(s string) error {
	return fmt.Errorf("rollout: %q is not a weight: want a percentage up to 100 with at most two decimals, such as 10%% or 0.5%%", s)
}

// String returns the percentage, such as "0.5%".
func (w Weight) String() string {
	if w%100 == 0 {
		return strconv.Itoa(int(w/100)) + "%"
	}
	return strings.TrimRight(fmt.Sprintf("%d.%02d", w/100, w%100), "0") + "%"
}

// Tree returns the destination that sends w to the new branch and the rest to the
// old one: percentages and not fractions, as two decimals of those are too few.
func (w Weight) Tree(older, newer dtab.Path) dtab.Tree[dtab.Path] {
	switch {
	case w <= 0:
		return dtab.LeafOf(older)
	case w >= All:
		return dtab.LeafOf(newer)
	}
	return dtab.UnionOf(
		dtab.LeafOf(newer).Weighing(float64(w)/100),
		dtab.LeafOf(older).Weighing(float64(All-w)/100))
}
