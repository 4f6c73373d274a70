import uPlot from "uplot";
import { el, setText } from "./dom.ts";
import { short } from "./format.ts";

export interface Line {
  label: string;
  /** colour is a CSS colour, such as "var(--green)". */
  colour: string;
  values: (number | null)[];
}

export interface ChartOptions {
  /** label says what is shown, to screen readers too. */
  label: string;
  height?: number;
  /** spanS is how many seconds the chart shows. */
  spanS?: number;
  /** value writes a value in the legend; short unless given. */
  value?(n: number | null | undefined): string;
  /** tick writes a value beside the y axis; as in the legend unless given. */
  tick?(n: number): string;
  /** range returns the ends of the y axis for what is shown; from 0 to a bit above the highest unless given. */
  range?(min: number, max: number): [number, number];
  /** reference is a value with a line of its own, such as 100 %. */
  reference?: number;
  legend?: boolean;
  /** axis is the width of the y axis in pixels. */
  axis?: number;
}

/** Chart is lines over the last minutes, drawn by uPlot. Times are in seconds. */
export class Chart {
  readonly element: HTMLElement;
  readonly #o: Required<Pick<ChartOptions, "height" | "spanS" | "value" | "legend" | "axis">> & ChartOptions;
  readonly #box: HTMLElement;
  readonly #legend: HTMLElement;
  readonly #observer: ResizeObserver;
  #plot: uPlot | undefined;
  #width = 0; // 0: not in the page, or hidden. To read it from there would lay the page out.
  #lines: Line[] = [];
  #times: number[] = [];
  #drawn = ""; // which lines the plot was made for

  constructor(o: ChartOptions) {
    this.#o = { height: 181, spanS: 120, value: (n) => (n === null || n === undefined ? "–" : short(n)), legend: true, axis: 46, ...o };
    this.#box = el("div", { class: "plot", role: "img", "aria-label": o.label });
    this.#box.style.height = `${this.#o.height}px`;
    this.#legend = el("ul", { class: "legend", "aria-hidden": "true" });
    this.element = el("figure", { class: "chart" }, el("figcaption", {}, o.label), this.#box, this.#o.legend && this.#legend);
    this.#observer = new ResizeObserver(([e]) => {
      this.#width = Math.round(e?.contentRect.width ?? 0);
      this.#resize();
    });
    this.#observer.observe(this.#box);
    addEventListener("themechange", this.#again);
  }

  /** update shows other values. Lines are told apart by their labels. */
  update(times: number[], lines: Line[]): void {
    this.#times = times;
    this.#lines = lines;
    this.#draw();
  }

  close(): void {
    removeEventListener("themechange", this.#again);
    this.#observer.disconnect();
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  readonly #again = (): void => {
    this.#drawn = "";
    this.#draw();
  };

  #resize(): void {
    const width = this.#width;
    if (this.#plot && width && this.#plot.width !== width) this.#plot.setSize({ width, height: this.#o.height });
    else this.#draw();
  }

  #draw(): void {
    const width = this.#width;
    if (!width) return;
    const key = this.#lines.map((l) => `${l.label}\n${l.colour}`).join("\n");
    // Times are before now, so that the grid stays where it is.
    const now = this.#times[this.#times.length - 1] ?? 0;
    const data = [this.#times.map((t) => t - now), ...this.#lines.map((l) => l.values)] as uPlot.AlignedData;
    if (!this.#plot || key !== this.#drawn) {
      this.#plot?.destroy();
      this.#drawn = key;
      this.#legend.replaceChildren(...this.#lines.map((l) => {
        const swatch = el("i");
        swatch.style.background = l.colour;
        return el("li", { title: l.label }, swatch, el("span", {}, l.label), el("b"));
      }));
      this.#plot = new uPlot(this.#options(width), data, this.#box);
    } else this.#plot.setData(data);
    this.#values(this.#plot.cursor.idx ?? null);
  }

  /** values writes those under the cursor, or the latest ones, into the legend. */
  #values(index: number | null): void {
    this.#lines.forEach((l, i) => {
      const b = this.#legend.children[i]?.querySelector("b");
      if (b) setText(b, this.#o.value(l.values[index ?? l.values.length - 1]));
    });
  }

  #options(width: number): uPlot.Options {
    const o = this.#o, paint = (token: string): string => resolve(this.#box, token);
    const dim = paint("var(--dim)"), line = paint("var(--grid)");
    const axis = { stroke: dim, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    return {
      width, height: o.height,
      padding: [8, 14, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { size: 6 } },
      scales: {
        x: { time: false, range: [-o.spanS, 0] },
        y: { range: (_, min, max) => (o.range ?? fromZero)(min ?? 0, max ?? 0) },
      },
      axes: [
        { ...axis, size: 22, incrs: [10, 20, 30, 60, 120], space: 40, values: (_, ticks) => ticks.map((t) => (t === 0 ? "now" : t <= -o.spanS ? "" : `−${-t}s`)) },
        { ...axis, size: o.axis, space: 30, values: (_, ticks) => ticks.map((v) => (o.tick ?? o.value)(v)) },
      ],
      series: [{}, ...this.#lines.map((l): uPlot.Series => ({ label: l.label, stroke: paint(l.colour), width: 1.75, points: { show: false }, spanGaps: false }))],
      hooks: {
        setCursor: [(u) => this.#values(u.cursor.idx ?? null)],
        drawAxes: [(u) => o.reference !== undefined && rule(u, o.reference, dim)],
      },
    };
  }
}

function fromZero(_: number, max: number): [number, number] {
  return [0, max > 0 ? max * 1.15 : 1];
}

function rule(u: uPlot, value: number, colour: string): void {
  const { ctx, bbox } = u, y = Math.round(u.valToPos(value, "y", true));
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.setLineDash([4, 4]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

/** resolve turns a colour of the style sheet into one that a canvas knows. */
function resolve(near: Element, colour: string): string {
  const probe = el("i");
  probe.style.color = colour;
  near.append(probe);
  const text = getComputedStyle(probe).color;
  probe.remove();
  return text;
}
