/* A small viewer for meshes that share one topology: WebGL where there is one, else a z-buffer in
   plain JavaScript. No library, no network: everything it shows is in the JSON block beside it. */
(function () {
  "use strict";

  function decode(text, Type) {
    var raw = atob(text), bytes = new Uint8Array(raw.length);
    for (var i = 0; i < raw.length; i++) { bytes[i] = raw.charCodeAt(i); }
    return new Type(bytes.buffer);
  }

  /* Vertex normals, area weighted. */
  function normalsOf(positions, faces) {
    var normals = new Float32Array(positions.length);
    for (var f = 0; f < faces.length; f += 3) {
      var a = 3 * faces[f], b = 3 * faces[f + 1], c = 3 * faces[f + 2];
      var ux = positions[b] - positions[a], uy = positions[b + 1] - positions[a + 1];
      var uz = positions[b + 2] - positions[a + 2];
      var vx = positions[c] - positions[a], vy = positions[c + 1] - positions[a + 1];
      var vz = positions[c + 2] - positions[a + 2];
      var nx = uy * vz - uz * vy, ny = uz * vx - ux * vz, nz = ux * vy - uy * vx;
      [a, b, c].forEach(function (corner) {
        normals[corner] += nx; normals[corner + 1] += ny; normals[corner + 2] += nz;
      });
    }
    for (var i = 0; i < normals.length; i += 3) {
      var length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1;
      normals[i] /= length; normals[i + 1] /= length; normals[i + 2] /= length;
    }
    return normals;
  }

  /* Rows of the rotation about x (pitch) after the rotation about y (yaw). */
  function rotation(yaw, pitch) {
    var cy = Math.cos(yaw), sy = Math.sin(yaw), cp = Math.cos(pitch), sp = Math.sin(pitch);
    return [cy, 0, sy, sp * sy, cp, -sp * cy, -cp * sy, sp, cp * cy];
  }

  /* The mesh with spheres for its eyes and a cone inside its mouth. What is added has uv (-1, v):
     v is the angle from the pupil / pi on an eye, and 2 in the mouth. */
  var RINGS = 20, STEPS = 24, MOUTH = 2;
  function withInside(base, positions, eyes) {
    var count = positions.length / 3, each = (RINGS + 1) * STEPS, loop = base.mouth;
    var total = count + eyes.length * each + (loop.length ? loop.length + 1 : 0);
    var corners = base.faces.length + 6 * RINGS * STEPS * eyes.length + 3 * loop.length;
    var Index = total > 65535 ? Uint32Array : Uint16Array;
    var out = {
      positions: new Float32Array(3 * total), uv: new Float32Array(2 * total),
      faces: new Index(corners)
    };
    out.positions.set(positions); out.uv.set(base.uv); out.faces.set(base.faces);
    var at = count, corner = base.faces.length;
    function add(x, y, z, v) {
      out.positions.set([x, y, z], 3 * at); out.uv.set([-1, v], 2 * at); at++;
    }
    function face(a, b, c) { out.faces.set([a, b, c], corner); corner += 3; }
    eyes.forEach(function (eye) {
      for (var ring = 0; ring <= RINGS; ring++) {
        var angle = Math.PI * Math.pow(ring / RINGS, 1.4);
        for (var step = 0; step < STEPS; step++) {
          var turn = 2 * Math.PI * step / STEPS, wide = eye[3] * Math.sin(angle);
          if (ring < RINGS) {
            var right = at - step + (step + 1) % STEPS;
            face(at, at + STEPS, right + STEPS);
            face(at, right + STEPS, right);
          }
          add(eye[0] + wide * Math.cos(turn), eye[1] + wide * Math.sin(turn),
              eye[2] + eye[3] * Math.cos(angle), angle / Math.PI);
        }
      }
    });
    if (loop.length) {
      var first = at, throat = [0, 0, -base.throat];
      loop.forEach(function (vertex, i) {
        for (var k = 0; k < 3; k++) { throat[k] += positions[3 * vertex + k] / loop.length; }
        face(first + (i + 1) % loop.length, first + i, first + loop.length);
        add(positions[3 * vertex], positions[3 * vertex + 1], positions[3 * vertex + 2], MOUTH);
      });
      add(throat[0], throat[1], throat[2], MOUTH);
    }
    out.normals = normalsOf(out.positions, out.faces);
    return out;
  }

  var MODES = ["texture", "surface", "checker"];
  var CLAY = [0.80, 0.76, 0.72];
  var CHECKS = 24;
  var CAMERA = 3.2; /* distance of the eye in units of the model's radius */
  var FOCAL = 2.75;

  /* ---------------------------------------------------------------- WebGL ---- */

  var VERTEX = [
    "attribute vec3 position; attribute vec3 normal; attribute vec2 uv;",
    "uniform mat3 turn; uniform vec3 view; varying vec3 n; varying vec2 t;",
    "void main() {",
    "  vec3 p = turn * position; n = turn * normal; t = uv;",
    "  float d = " + CAMERA.toFixed(2) + " - p.z;",
    "  vec2 at = view.z * " + FOCAL.toFixed(2) + " * p.xy + view.xy * d;",
    "  gl_Position = vec4(at, (d - 2.2) * d, d);",
    "}"
  ].join("\n");
  var FRAGMENT = [
    "precision mediump float;",
    "varying vec3 n; varying vec2 t; uniform sampler2D image; uniform int mode;",
    "uniform vec2 eye;",
    "void main() {",
    "  vec3 m = normalize(n); if (!gl_FrontFacing) { m = -m; }",
    "  float key = max(dot(m, normalize(vec3(0.35, 0.45, 0.85))), 0.0);",
    "  float fill = max(dot(m, normalize(vec3(-0.7, 0.1, 0.5))), 0.0);",
    "  float light = 0.34 + 0.56 * key + 0.16 * fill;",
    "  vec3 base = vec3(" + CLAY.join(",") + ");",
    "  if (mode == 0) { base = texture2D(image, t).rgb; }",
    "  if (mode == 2) {",
    "    float odd = mod(floor(t.x * " + CHECKS + ".0) + floor(t.y * " + CHECKS + ".0), 2.0);",
    "    base = mix(vec3(0.93), vec3(0.25 + 0.6 * t.x, 0.42, 0.25 + 0.6 * t.y), odd);",
    "  }",
    "  if (t.x < -0.5) {",
    "    base = t.y < eye.x ? vec3(0.04) : t.y < eye.y ? vec3(0.33, 0.24, 0.17) : vec3(0.92);",
    "    if (t.y > 1.5) { base = vec3(0.20, 0.07, 0.07); }",
    "  }",
    "  if (!gl_FrontFacing) { light *= 0.45; }",
    "  gl_FragColor = vec4(base * light, 1.0);",
    "}"
  ].join("\n");

  function WebglPainter(canvas, scene) {
    var gl = canvas.getContext("webgl", { antialias: true, alpha: true });
    if (!gl) { throw new Error("no WebGL"); }
    if (scene.wide && !gl.getExtension("OES_element_index_uint")) {
      throw new Error("no wide indices");
    }
    var program = gl.createProgram();
    [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]].forEach(function (part) {
      var shader = gl.createShader(part[0]);
      gl.shaderSource(shader, part[1]); gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) {
        throw new Error(gl.getShaderInfoLog(shader));
      }
      gl.attachShader(program, shader);
    });
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) { throw new Error("shader link"); }
    gl.useProgram(program);
    gl.enable(gl.DEPTH_TEST);
    gl.clearColor(0, 0, 0, 0);
    var indices = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, indices);
    gl.uniform2f(gl.getUniformLocation(program, "eye"), scene.pupil, scene.iris);

    function attribute(name, size) {
      var buffer = gl.createBuffer(), place = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, gl.FLOAT, false, 0, 0);
      return function (data) {
        gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
        gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
      };
    }
    var setPosition = attribute("position", 3), setNormal = attribute("normal", 3);
    var setUv = attribute("uv", 2), shown = null;
    var texture = gl.createTexture();
    var turn = gl.getUniformLocation(program, "turn"), mode = gl.getUniformLocation(program, "mode");
    var place = gl.getUniformLocation(program, "view");

    this.show = function (shape) {
      shown = shape;
      setPosition(shape.positions); setNormal(shape.normals); setUv(shape.uv);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, shape.faces, gl.STATIC_DRAW);
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, true);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, shape.image);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    };
    this.paint = function (view, modeIndex) {
      var r = rotation(view.yaw, view.pitch);
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      gl.uniformMatrix3fv(turn, false, [r[0], r[3], r[6], r[1], r[4], r[7], r[2], r[5], r[8]]);
      gl.uniform3f(place, view.x, view.y, view.zoom);
      gl.uniform1i(mode, modeIndex);
      var type = shown.faces instanceof Uint32Array ? gl.UNSIGNED_INT : gl.UNSIGNED_SHORT;
      gl.drawElements(gl.TRIANGLES, shown.faces.length, type, 0);
    };
  }

  /* ------------------------------------------------------------- software ---- */

  function SoftwarePainter(canvas, scene) {
    var context = canvas.getContext("2d");
    var size = Math.min(canvas.width, 420);
    var buffer = document.createElement("canvas");
    buffer.width = buffer.height = size;
    var bufferContext = buffer.getContext("2d");
    var picture = bufferContext.createImageData(size, size);
    var depth = new Float32Array(size * size);
    var count = 0, sx, sy, sz, light;
    var shape = null, texels = null, width = 1, height = 1;

    this.show = function (next) {
      shape = next;
      count = next.uv.length / 2;
      sx = new Float32Array(count); sy = new Float32Array(count); sz = new Float32Array(count);
      light = new Float32Array(count);
      var sheet = document.createElement("canvas");
      width = sheet.width = next.image.naturalWidth || next.image.width;
      height = sheet.height = next.image.naturalHeight || next.image.height;
      var sheetContext = sheet.getContext("2d");
      sheetContext.drawImage(next.image, 0, 0);
      texels = sheetContext.getImageData(0, 0, width, height).data;
    };

    function project(r, view) {
      var p = shape.positions, n = shape.normals;
      for (var i = 0, j = 0; i < count; i++, j += 3) {
        var x = r[0] * p[j] + r[1] * p[j + 1] + r[2] * p[j + 2];
        var y = r[3] * p[j] + r[4] * p[j + 1] + r[5] * p[j + 2];
        var z = r[6] * p[j] + r[7] * p[j + 1] + r[8] * p[j + 2];
        var d = CAMERA - z;
        sx[i] = (1 + view.zoom * FOCAL * x / d + view.x) * 0.5 * size;
        sy[i] = (1 - view.zoom * FOCAL * y / d - view.y) * 0.5 * size;
        sz[i] = d;
        var nx = r[0] * n[j] + r[1] * n[j + 1] + r[2] * n[j + 2];
        var ny = r[3] * n[j] + r[4] * n[j + 1] + r[5] * n[j + 2];
        var nz = r[6] * n[j] + r[7] * n[j + 1] + r[8] * n[j + 2];
        var key = Math.max(0.342 * nx + 0.440 * ny + 0.830 * nz, 0);
        var fill = Math.max(-0.808 * nx + 0.115 * ny + 0.577 * nz, 0);
        light[i] = 0.34 + 0.56 * key + 0.16 * fill;
      }
    }

    function colorAt(u, v, mode, out) {
      if (u < -0.5) {
        var ink = v > 1.5 ? [51, 18, 18] : v < scene.pupil ? [10, 10, 12]
          : v < scene.iris ? [84, 61, 43] : [235, 234, 230];
        out[0] = ink[0]; out[1] = ink[1]; out[2] = ink[2];
      } else if (mode === 0) {
        var column = Math.min(width - 1, Math.max(0, u * width | 0));
        var row = Math.min(height - 1, Math.max(0, (1 - v) * height | 0));
        var k = 4 * (row * width + column);
        out[0] = texels[k]; out[1] = texels[k + 1]; out[2] = texels[k + 2];
      } else if (mode === 2) {
        var odd = (Math.floor(u * CHECKS) + Math.floor(v * CHECKS)) % 2;
        out[0] = odd ? 64 + 153 * u : 237;
        out[1] = odd ? 107 : 237;
        out[2] = odd ? 64 + 153 * v : 237;
      } else {
        out[0] = 255 * CLAY[0]; out[1] = 255 * CLAY[1]; out[2] = 255 * CLAY[2];
      }
    }

    this.paint = function (view, mode) {
      project(rotation(view.yaw, view.pitch), view);
      depth.fill(Infinity);
      var pixels = picture.data, faces = shape.faces, uv = shape.uv, color = [0, 0, 0];
      pixels.fill(0);
      for (var f = 0; f < faces.length; f += 3) {
        var a = faces[f], b = faces[f + 1], c = faces[f + 2];
        var area = (sx[b] - sx[a]) * (sy[c] - sy[a]) - (sx[c] - sx[a]) * (sy[b] - sy[a]);
        if (area === 0) { continue; }
        var shade = area > 0 ? 0.45 : 1; /* y points down, so the outside is clockwise here */
        var left = Math.max(0, Math.ceil(Math.min(sx[a], sx[b], sx[c]) - 0.5));
        var right = Math.min(size - 1, Math.floor(Math.max(sx[a], sx[b], sx[c]) - 0.5));
        var top = Math.max(0, Math.ceil(Math.min(sy[a], sy[b], sy[c]) - 0.5));
        var bottom = Math.min(size - 1, Math.floor(Math.max(sy[a], sy[b], sy[c]) - 0.5));
        for (var y = top; y <= bottom; y++) {
          for (var x = left; x <= right; x++) {
            var px = x + 0.5, py = y + 0.5;
            var wa = ((sx[b] - px) * (sy[c] - py) - (sx[c] - px) * (sy[b] - py)) / area;
            var wb = ((sx[c] - px) * (sy[a] - py) - (sx[a] - px) * (sy[c] - py)) / area;
            var wc = 1 - wa - wb;
            if (wa < 0 || wb < 0 || wc < 0) { continue; }
            var d = wa * sz[a] + wb * sz[b] + wc * sz[c], at = y * size + x;
            if (d >= depth[at]) { continue; }
            depth[at] = d;
            colorAt(wa * uv[2 * a] + wb * uv[2 * b] + wc * uv[2 * c],
                    wa * uv[2 * a + 1] + wb * uv[2 * b + 1] + wc * uv[2 * c + 1], mode, color);
            var l = shade * (wa * light[a] + wb * light[b] + wc * light[c]);
            pixels[4 * at] = color[0] * l; pixels[4 * at + 1] = color[1] * l;
            pixels[4 * at + 2] = color[2] * l; pixels[4 * at + 3] = 255;
          }
        }
      }
      bufferContext.putImageData(picture, 0, 0);
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.drawImage(buffer, 0, 0, canvas.width, canvas.height);
    };
  }

  /* ---------------------------------------------------------------- viewer --- */

  function start(root) {
    var data = JSON.parse(root.querySelector("script").textContent);
    var canvas = root.querySelector("canvas");
    var ratio = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = canvas.height = Math.round(canvas.clientWidth * ratio) || 480;
    var Index = data.wide ? Uint32Array : Uint16Array;
    var steps = decode(data.uv, Uint16Array);
    var faces = decode(data.faces, Index), uv = new Float32Array(steps.length);
    for (var i = 0; i < steps.length; i++) { uv[i] = steps[i] / 65535; }
    var base = { faces: faces, uv: uv, mouth: data.mouth, throat: data.throat };
    var scene = { wide: data.wide, pupil: data.pupil, iris: data.iris };
    var painter, fallback = false;
    try {
      painter = new WebglPainter(canvas, scene);
    } catch (reason) {
      var fresh = canvas.cloneNode(false);
      canvas.parentNode.replaceChild(fresh, canvas);
      canvas = fresh; fallback = true;
      painter = new SoftwarePainter(canvas, scene);
    }
    var HOME = { yaw: 0, pitch: 0.06, zoom: 1, x: 0, y: 0 };
    var view = Object.assign({}, HOME);
    var state = { mode: 0, turning: true, ready: false, shown: true, time: 0 };
    if (window.matchMedia && matchMedia("(prefers-reduced-motion: reduce)").matches) {
      state.turning = false; view.yaw = HOME.yaw = 0.45;
    }

    function degrees(angle) { return Math.round(angle * 180 / Math.PI); }
    function paint() {
      if (!state.ready) { return; }
      painter.paint(view, state.mode);
      /* What a test or a reader of the page's source can see of the picture. */
      canvas.dataset.view = [degrees(view.yaw), degrees(view.pitch), view.zoom.toFixed(2),
        view.x.toFixed(2), view.y.toFixed(2)].join(" ");
    }
    var told = null;
    function tell() {
      clearTimeout(told);
      told = setTimeout(function () {
        said.textContent = "turned " + degrees(view.yaw) + "°, lifted " + degrees(-view.pitch) + "°, "
          + view.zoom.toFixed(1) + " times as large";
      }, 300);
    }
    function turnBy(yaw, pitch) {
      setTurning(false);
      view.yaw += yaw;
      view.pitch = Math.max(-1.4, Math.min(1.4, view.pitch + pitch));
      paint(); tell();
    }
    function moveBy(x, y) {
      var most = view.zoom;
      view.x = Math.max(-most, Math.min(most, view.x + x));
      view.y = Math.max(-most, Math.min(most, view.y + y));
      paint(); tell();
    }
    /* What lies under (x, y), from -1 to 1, stays there. */
    function zoomBy(factor, x, y) {
      var next = Math.max(0.5, Math.min(12, view.zoom * factor)), ratio = next / view.zoom;
      view.x = x + (view.x - x) * ratio; view.y = y + (view.y - y) * ratio;
      view.zoom = next;
      moveBy(0, 0);
    }
    function reset() { Object.assign(view, HOME); setTurning(false); paint(); tell(); }
    function placeOf(event) {
      var box = canvas.getBoundingClientRect();
      return [2 * (event.clientX - box.left) / box.width - 1,
        1 - 2 * (event.clientY - box.top) / box.height];
    }

    var shapes = {};
    function select(index) {
      root.querySelectorAll("[data-shape]").forEach(function (button) {
        button.setAttribute("aria-pressed", String(Number(button.dataset.shape) === index));
      });
      root.querySelector(".viewer-name").textContent = data.shapes[index].name;
      if (shapes[index]) { painter.show(shapes[index]); state.ready = true; paint(); return; }
      var source = data.shapes[index], raw = decode(source.positions, Int16Array);
      var positions = new Float32Array(raw.length);
      for (var i = 0; i < raw.length; i++) { positions[i] = raw[i] / 32767; }
      var image = new Image();
      image.onload = function () {
        shapes[index] = withInside(base, positions, source.eyes);
        shapes[index].image = image;
        painter.show(shapes[index]); state.ready = true; paint();
      };
      image.src = source.texture;
    }

    root.querySelectorAll("[data-shape]").forEach(function (button) {
      button.addEventListener("click", function () { select(Number(button.dataset.shape)); });
    });
    root.querySelectorAll("[data-mode]").forEach(function (button) {
      button.addEventListener("click", function () {
        state.mode = MODES.indexOf(button.dataset.mode);
        root.querySelectorAll("[data-mode]").forEach(function (other) {
          other.setAttribute("aria-pressed", String(other === button));
        });
        paint();
      });
    });
    var spin = root.querySelector("[data-spin]"), said = root.querySelector("[data-said]");
    function setTurning(on) { state.turning = on; spin.setAttribute("aria-pressed", String(on)); }
    spin.addEventListener("click", function () { setTurning(!state.turning); });
    setTurning(state.turning);

    root.querySelectorAll("[data-zoom]").forEach(function (button) {
      button.addEventListener("click", function () { zoomBy(Number(button.dataset.zoom), 0, 0); });
    });
    root.querySelector("[data-reset]").addEventListener("click", reset);

    /* One pointer turns (moves, with a key or another button held); two pinch and move. On a phone a
       finger that goes up or down scrolls the page, as long as the face is not enlarged. */
    var held = new Map(), pinch = null;
    function pinchOf() {
      var two = Array.from(held.values()).slice(0, 2);
      return { size: Math.hypot(two[0][0] - two[1][0], two[0][1] - two[1][1]) || 1e-6,
        x: (two[0][0] + two[1][0]) / 2, y: (two[0][1] + two[1][1]) / 2 };
    }
    function touching() { canvas.style.touchAction = view.zoom > 1.01 ? "none" : "pan-y"; }
    touching();
    canvas.addEventListener("pointerdown", function (event) {
      held.set(event.pointerId, placeOf(event)); setTurning(false);
      pinch = held.size > 1 ? pinchOf() : null;
      try { canvas.setPointerCapture(event.pointerId); } catch (gone) { /* it left at once */ }
    });
    canvas.addEventListener("pointermove", function (event) {
      var before = held.get(event.pointerId), now = placeOf(event);
      if (!before) { return; }
      held.set(event.pointerId, now);
      if (pinch && held.size > 1) {
        var next = pinchOf();
        zoomBy(next.size / pinch.size, next.x, next.y);
        moveBy(next.x - pinch.x, next.y - pinch.y);
        pinch = next;
      } else if (event.shiftKey || event.buttons & 6) {
        moveBy(now[0] - before[0], now[1] - before[1]);
      } else {
        var steps = 0.005 * canvas.clientWidth;
        turnBy((now[0] - before[0]) * steps, (before[1] - now[1]) * steps);
      }
    });
    ["pointerup", "pointercancel", "lostpointercapture"].forEach(function (name) {
      canvas.addEventListener(name, function (event) {
        held.delete(event.pointerId); pinch = null; touching();
      });
    });
    canvas.addEventListener("contextmenu", function (event) { event.preventDefault(); });
    /* A wheel alone scrolls the page; over a face that has the focus, or with Ctrl, it zooms. */
    canvas.addEventListener("wheel", function (event) {
      if (!event.ctrlKey && document.activeElement !== canvas) { return; }
      event.preventDefault(); setTurning(false);
      var at = placeOf(event);
      zoomBy(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) * 0.004), at[0], at[1]);
      touching();
    }, { passive: false });
    canvas.addEventListener("dblclick", reset);
    canvas.addEventListener("keydown", function (event) {
      if (event.ctrlKey || event.metaKey || event.altKey) { return; }
      var arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (arrow && event.shiftKey) { moveBy(0.1 * arrow[0], -0.1 * arrow[1]); }
      else if (arrow) { turnBy(0.1 * arrow[0], 0.1 * arrow[1]); }
      else if (event.key === "+" || event.key === "=") { zoomBy(1.25, 0, 0); }
      else if (event.key === "-") { zoomBy(0.8, 0, 0); }
      else if (event.key === "0" || event.key === "Home") { reset(); }
      else { return; }
      event.preventDefault(); setTurning(false); touching();
    });
    if (window.IntersectionObserver) {
      new IntersectionObserver(function (entries) {
        state.shown = entries[entries.length - 1].isIntersecting;
      }).observe(canvas);
    }

    /* A face is a mask: it sways rather than turning its hollow back to the reader. */
    var before = null, pause = fallback ? 50 : 0;
    function frame(now) {
      if (before === null || now - before >= pause) {
        if (state.turning && state.shown && before !== null) {
          state.time += Math.min(now - before, 100);
          view.yaw = 0.75 * Math.sin(state.time / 1600);
          paint();
        }
        before = now;
      }
      window.requestAnimationFrame(frame);
    }
    select(0);
    window.requestAnimationFrame(frame);
    root.classList.add(fallback ? "software" : "webgl");
  }

  document.querySelectorAll(".viewer").forEach(start);
})();
