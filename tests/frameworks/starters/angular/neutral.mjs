// What Angular's guide says for platforms other than Node, in angular.json.
import { readFileSync, writeFileSync } from "node:fs";

const settings = JSON.parse(readFileSync("angular.json", "utf8"));
Object.assign(settings.projects.project.architect.build.options.ssr, { platform: "neutral" });
writeFileSync("angular.json", JSON.stringify(settings, null, 2));
