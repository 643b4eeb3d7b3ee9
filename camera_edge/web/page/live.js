// Plays one camera by WHEP, and says so when there is nothing to see.
// While the page is hidden no session is held, so nothing is encoded for it.

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 10000;
const CONNECT_WITHIN_MS = 12000;
const STILL_MS = 4000;
const GIVE_UP_STILL_MS = 15000;

export class LivePlayer {
  constructor(camera, video, cover) {
    this.endpoint = `/${encodeURIComponent(camera)}/whep`;
    this.video = video;
    this.cover = cover;
    this.peer = null;
    this.session = null;
    this.retryMs = FIRST_RETRY_MS;
    this.timer = 0;
    this.run = 0;
    this.down = "";
    video.addEventListener("playing", () => this.pictured());
    this.onFrame = () => {
      this.pictured();
      video.requestVideoFrameCallback(this.onFrame);
    };
    video.requestVideoFrameCallback?.(this.onFrame);
    setInterval(() => this.watch(), 1000);
  }

  // A camera that is down keeps its cover even while the last picture is still on the screen.
  setDown(reason) {
    this.down = reason;
    if (reason) this.show(reason);
  }

  async start() {
    this.stop();
    const run = ++this.run;
    this.show("Connecting.");
    this.startedMs = performance.now();
    this.picturedMs = 0;
    const peer = new RTCPeerConnection({ iceServers: [] });
    this.peer = peer;
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.addEventListener("track", (event) => {
      this.video.srcObject = new MediaStream([event.track]);
      this.video.play().catch(() => {});
    });
    peer.addEventListener("connectionstatechange", () => {
      if (run === this.run && ["failed", "closed"].includes(peer.connectionState)) {
        this.retry("The connection to the picture was lost.");
      }
    });
    try {
      await peer.setLocalDescription();
      await this.negotiate(peer, run);
    } catch (error) {
      if (run === this.run) this.retry(`No answer: ${error.message}`);
    }
  }

  async negotiate(peer, run) {
    const response = await fetch(this.endpoint, {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: peer.localDescription.sdp,
    });
    const text = await response.text();
    const session = response.headers.get("Location");
    if (run !== this.run) {
      if (session) end(session);
      return;
    }
    if (response.status !== 201) {
      const waitS = Number(response.headers.get("Retry-After")) || 0;
      this.retry(text.trim().replace(/^\d+: /, ""), waitS * 1000);
      return;
    }
    this.session = session;
    await peer.setRemoteDescription({ type: "answer", sdp: text });
  }

  stop() {
    this.run++;
    clearTimeout(this.timer);
    if (this.session) end(this.session);
    this.session = null;
    this.peer?.close();
    this.peer = null;
    this.video.srcObject = null;
  }

  retry(reason, waitMs = 0) {
    this.stop();
    this.show(reason);
    this.timer = setTimeout(() => this.start(), Math.max(waitMs, this.retryMs));
    this.retryMs = Math.min(2 * this.retryMs, LONGEST_RETRY_MS);
  }

  pictured() {
    this.picturedMs = performance.now();
    this.retryMs = FIRST_RETRY_MS;
    if (!this.down) this.cover.hidden = true;
  }

  watch() {
    if (!this.peer) return;
    const sinceMs = performance.now() - (this.picturedMs || this.startedMs);
    if (!this.picturedMs) {
      if (sinceMs > CONNECT_WITHIN_MS) {
        this.retry(
          "No picture came. The preview's UDP port is not reachable from this browser, " +
            "or this machine has no network but loopback, where browsers do no WebRTC.",
        );
      }
    } else if (sinceMs > GIVE_UP_STILL_MS) {
      this.retry("The picture stands still.");
    } else if (sinceMs > STILL_MS) {
      this.show(`No new picture for ${Math.round(sinceMs / 1000)} s.`);
    }
  }

  show(text) {
    this.cover.textContent = this.down || text;
    this.cover.hidden = false;
  }
}

function end(session) {
  // keepalive: it is sent even while the page is being left
  fetch(session, { method: "DELETE", keepalive: true }).catch(() => {});
}
