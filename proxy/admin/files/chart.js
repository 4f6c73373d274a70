// A line chart of what came in during the last minutes, one line per name.

const colours = ["#9B4AD8", "#ED9E64", "#709DDD", "#4AD8AC", "#D84A4A", "#6A18A4", "#D85B00", "#4076C4", "#18A478", "#A41818"];
const msPerPixel = 60;

export class Chart {
  constructor(canvas) {
    this.canvas = canvas;
    this.lines = new Map(); // name → {colour, points: [[ms, value]]}
  }

  colour(name) { return this.line(name).colour; }

  line(name) {
    let line = this.lines.get(name);
    if (!line) {
      const used = new Set([...this.lines.values()].map((l) => l.colour));
      line = { colour: colours.find((c) => !used.has(c)) || colours[this.lines.size % colours.length], points: [] };
      this.lines.set(name, line);
    }
    return line;
  }

  // add takes the values of one moment; names that are missing from it end.
  add(now, values) {
    const oldest = now - (this.canvas.clientWidth + 50) * msPerPixel;
    for (const [name, value] of values) this.line(name).points.push([now, value]);
    for (const [name, line] of this.lines) {
      while (line.points.length && line.points[0][0] < oldest) line.points.shift();
      if (!line.points.length) this.lines.delete(name);
    }
    this.draw(now);
  }

  draw(now) {
    const scale = devicePixelRatio || 1, width = this.canvas.clientWidth, height = this.canvas.clientHeight;
    if (this.canvas.width !== width * scale || this.canvas.height !== height * scale) {
      this.canvas.width = width * scale;
      this.canvas.height = height * scale;
    }
    const g = this.canvas.getContext("2d");
    g.setTransform(scale, 0, 0, scale, 0, 0);
    g.clearRect(0, 0, width, height);
    let top = 1;
    for (const line of this.lines.values()) for (const [, v] of line.points) top = Math.max(top, v);
    top *= 1.1;
    const x = (ms) => width - (now - ms) / msPerPixel, y = (v) => height - 3 - (v / top) * (height - 18);

    g.strokeStyle = "rgba(255,255,255,.09)";
    g.fillStyle = "#99a3cf";
    g.font = "11px system-ui, sans-serif";
    g.lineWidth = 1;
    g.beginPath();
    for (let s = now - (now % 10000); x(s) > 0; s -= 10000) { g.moveTo(x(s), 0); g.lineTo(x(s), height); }
    for (const v of [0, top / 2.2, top / 1.1]) { g.moveTo(0, y(v)); g.lineTo(width, y(v)); }
    g.stroke();
    g.fillText(Math.round(top / 1.1).toLocaleString("en"), 4, y(top / 1.1) - 3);

    g.lineWidth = 1.6;
    for (const line of this.lines.values()) {
      g.strokeStyle = line.colour;
      g.beginPath();
      line.points.forEach(([ms, v], i) => (i ? g.lineTo(x(ms), y(v)) : g.moveTo(x(ms), y(v))));
      g.stroke();
    }
  }
}
