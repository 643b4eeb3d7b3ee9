// Reads back every picture that the page's live video shows, as a person would see it.
() => {
  const WIDTH = 320, HEIGHT = 240, MASKED = [80, 72];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const context = canvas.getContext("2d", { willReadFrequently: true });

  function measure(video, time_s) {
    context.drawImage(video, 0, 0, WIDTH, HEIGHT);
    const data = context.getImageData(0, 0, WIDTH, HEIGHT).data;
    let stripes = 0, mosaic = 0, mosaicX = 0, mark = 0, brightest = 0, pairs = 0, flat = 0, pairsAbove = 0, flatAbove = 0;
    for (let y = 0; y < HEIGHT; y++) {
      let before = -1;
      for (let x = 0; x < WIDTH; x++) {
        const [r, g, b] = [data[4 * (y * WIDTH + x)], data[4 * (y * WIDTH + x) + 1], data[4 * (y * WIDTH + x) + 2]];
        const luma = 0.299 * r + 0.587 * g + 0.114 * b;
        const left = before;
        before = luma;
        // edges are blurred by a pixel or two
        if (x < MASKED[0] - 4 && y < MASKED[1] - 4) brightest = Math.max(brightest, luma);
        if (x <= MASKED[0] + 8 && y <= MASKED[1] + 8) continue;
        if (Math.abs(r - g) > 90 && b < 110) stripes++;
        if (r > 80 && g > 80 && b < 70 && Math.abs(r - g) < 70) { mosaic++; mosaicX += x; }
        if (r > 170 && b > 170 && g < 90) mark++;
        const isFlat = Math.abs(luma - left) < 1.5;
        pairs++;
        flat += isFlat;
        if (y < 64) { pairsAbove++; flatAbove += isFlat; }
      }
    }
    const mosaic_x = mosaic ? mosaicX / mosaic : -1;
    return { time_s, stripes, mosaic, mosaic_x, mark, brightest, flat: flat / pairs, flat_above: flatAbove / pairsAbove };
  }

  window.watchUntil = (condition) => new Promise((done, failed) => {
    const enough = new Function("seen", `return ${condition}`);
    const seen = [];
    const tooLate = () => failed(new Error(`${seen.length} pictures, the last ${JSON.stringify(seen.at(-1))}`));
    setTimeout(tooLate, 30000);
    const follow = () => {
      const video = document.querySelector("video[data-camera=door]");
      if (!video) return setTimeout(follow, 20);
      const shown = (_now, frame) => {
        seen.push(measure(video, frame.mediaTime));
        if (enough(seen)) done(seen);
        else video.requestVideoFrameCallback(shown);
      };
      video.requestVideoFrameCallback(shown);
    };
    follow();
  });
}
