// Writes the bill of materials of an image, as CycloneDX 1.6, into /usr/share/ai/sbom.json: packages of Debian or of an RPM system, of npm
// and of PyPI. Runs as the last step of a build. Nothing in it depends on when it runs: the same image has the same bill.
const fs = require("fs");
const path = require("path");
const { execFileSync } = require("child_process");

const found = new Map();
const part = (text) => encodeURIComponent(text).replace(/%3A/g, ":");
const add = (type, space, name, version, rest, licence) => {
  if (!name || !version) return;
  const purl = `pkg:${type}/${space ? `${part(space)}/` : ""}${part(name)}@${part(version)}${rest || ""}`;
  const component = { type: "library", "bom-ref": purl, name: space && type === "npm" ? `${space}/${name}` : name, version, purl };
  if (licence) component.licenses = [{ license: { name: licence } }];
  found.set(purl, component);
};

const lines = (program, args) => {
  try {
    return execFileSync(program, args, { encoding: "utf8", maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "ignore"] }).split("\n").filter(Boolean);
  } catch {
    return [];
  }
};
const read = (file) => {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
};
const list = (directory) => {
  try {
    return fs.readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return [];
  }
};

const system = (/^ID="?([a-z0-9._-]+)/m.exec(read("/etc/os-release")) || [])[1] || "linux";
for (const line of lines("dpkg-query", ["-W", "-f", "${Package}\\t${Version}\\t${Architecture}\\t${db:Status-Abbrev}\\n"])) {
  const [name, version, architecture, status] = line.split("\t");
  if (status.startsWith("ii")) add("deb", system, name, version, `?arch=${part(architecture)}`);
}
for (const line of lines("rpm", ["-qa", "--qf", "%{NAME}\\t%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{LICENSE}\\n"])) {
  const [name, version, architecture, licence] = line.split("\t");
  add("rpm", system, name, version, `?arch=${part(architecture)}`, licence);
}

const npm = (root) => {
  for (const first of list(root)) {
    for (const below of first.startsWith("@") ? list(path.join(root, first)).map((name) => path.join(first, name)) : [first]) {
      const directory = path.join(root, below);
      try {
        const its = JSON.parse(read(path.join(directory, "package.json")));
        const [space, name] = its.name.startsWith("@") ? its.name.split("/") : ["", its.name];
        add("npm", space, name, its.version, "", typeof its.license === "string" ? its.license : undefined);
      } catch {
        // No package.
      }
      npm(path.join(directory, "node_modules"));
    }
  }
};
for (const root of ["/usr/local/lib", "/usr/lib", "/opt/ai-tools/lib"]) npm(path.join(root, "node_modules"));

const python = (lib) => {
  for (const version of list(lib).filter((name) => name.startsWith("python3"))) {
    for (const packages of ["dist-packages", "site-packages"]) {
      const directory = path.join(lib, version, packages);
      for (const info of list(directory).filter((name) => name.endsWith(".dist-info"))) {
        const text = read(path.join(directory, info, "METADATA"));
        const field = (name) => (new RegExp(`^${name}: (.+)$`, "m").exec(text) || [])[1];
        const name = (field("Name") || "").toLowerCase().replace(/[-_.]+/g, "-");
        const licence = field("License-Expression") || field("License");
        add("pypi", "", name, field("Version"), "", licence && licence.length < 100 ? licence : undefined);
      }
    }
  }
};
for (const lib of ["/usr/lib", "/usr/local/lib", ...list("/opt").map((name) => `/opt/${name}/lib`)]) python(lib);

const components = [...found.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
const bill = {
  $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  version: 1,
  metadata: { component: { type: "container", "bom-ref": "image", name: process.argv[1] || "image" } },
  components,
};
fs.mkdirSync("/usr/share/ai", { recursive: true });
fs.writeFileSync("/usr/share/ai/sbom.json", JSON.stringify(bill) + "\n");
