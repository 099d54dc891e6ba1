// Checks the direction of imports by the rules of deploy/local/layers.cjs, and that the tool has seen the code at all.
import { cruise } from 'dependency-cruiser';
import config from './layers.cjs';

const MODULES_MIN = 100;

const { output } = await cruise(['services', 'deploy'], {
  ...config.options,
  validate: true,
  ruleSet: { forbidden: config.forbidden },
});
const { violations, totalCruised } = output.summary;
for (const { rule, from, to } of violations) console.error(`${rule.name}: ${from} → ${to}`);
if (totalCruised < MODULES_MIN)
  console.error(`only ${totalCruised} modules were read, at least ${MODULES_MIN} are there`);
if (violations.length > 0 || totalCruised < MODULES_MIN) process.exit(1);
console.log(`${totalCruised} modules, ${output.summary.totalDependenciesCruised} imports in the right direction`);
