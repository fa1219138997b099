#!/usr/bin/env python3
"""The gate for repositories: its statuses, its summary, and the files that CI systems read.

    check_integrations.py PROGRAM
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
MODELS = ROOT / "examples" / "models"
CHECK = ROOT / "integrations" / "check_models.py"
PROGRAM = os.path.abspath(sys.argv.pop())


class Gate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.denied = cls.folder / "denied"
        cls.denied.mkdir()
        subprocess.run(
            [PROGRAM, "fingerprint", str(MODELS / "alder"), "-o", str(cls.denied), "--quiet"],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def check(self, *arguments, program=PROGRAM):
        return subprocess.run(
            [sys.executable, CHECK, "--program", program, "--known", self.denied, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    def test_a_stranger_passes(self):
        done = self.check(MODELS / "birch")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("| ok |", done.stdout)
        self.assertIn("independent", done.stdout)

    def test_a_derived_model_fails(self):
        done = self.check(MODELS / "birch", MODELS / "alder--lora")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("**denied** | alder | derived", done.stdout)

    def test_verdicts_can_be_allowed(self):
        done = self.check("--fail-on", "identical", MODELS / "alder--lora")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_could_not_be_found_out_is_never_clean(self):
        for paths in (["no-such-model"], ["no-such-model", MODELS / "alder--lora"]):
            done = self.check(*paths)
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn("**not found out**", done.stdout)
        self.assertEqual(self.check(MODELS / "birch", program="no-such-program").returncode, 2)
        self.assertEqual(self.check(MODELS / "birch", "--fail-on", "stolen").returncode, 2)

    def test_shards_and_their_folder_are_one_model(self):
        files = sorted((MODELS / "alder--lora").iterdir())
        done = self.check(*files, MODELS / "alder--lora")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.count("**denied**"), 1)

    def test_other_files_are_passed_over(self):
        done = self.check(ROOT / "README.md")
        self.assertEqual(done.returncode, 0)
        self.assertIn("No model among the files.", done.stdout)

    def test_names_cannot_write_markup(self):
        bad = self.folder / "a|b`c<script>\n.safetensors"
        bad.write_bytes(b"short")
        done = self.check(bad)
        self.assertEqual(done.returncode, 2)
        self.assertNotIn("<script>", done.stdout)
        self.assertNotIn("c\n", done.stdout)
        self.assertIn("a\\|b", done.stdout)

    def test_the_summary_is_appended(self):
        summary = self.folder / "summary.md"
        summary.write_text("before\n")
        done = self.check("--summary", summary, MODELS / "birch")
        self.assertEqual(summary.read_text(), "before\n" + done.stdout + "\n")

    def test_the_script_of_the_action_hands_statuses_on(self):
        link = self.folder / "bin"
        link.mkdir(exist_ok=True)
        if not (link / "tensorguard").exists():
            (link / "tensorguard").symlink_to(PROGRAM)
        summary = self.folder / "step.md"
        for models, status in (
            ("birch", 0),
            ("alder--l*\n\nbirch", 1),
            ("alder--lora\n$(touch injected)", 2),
        ):
            environment = dict(os.environ) | {
                "PATH": f"{link}:{os.environ['PATH']}",
                "TENSORGUARD_MODELS": models,
                "TENSORGUARD_KNOWN": str(self.denied),
                "TENSORGUARD_FAIL_ON": "derived",
                "TENSORGUARD_QUICK": "false",
                "GITHUB_STEP_SUMMARY": str(summary),
            }
            done = subprocess.run(
                [ROOT / "integrations" / "check.sh"],
                cwd=MODELS,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertFalse((MODELS / "injected").exists())
        self.assertEqual(summary.read_text().count("### Where the models come from"), 3)


class Files(unittest.TestCase):
    """What CI systems read, by the checkers that this machine has."""

    def run_checker(self, *command):
        if shutil.which(command[0]) is None:
            self.skipTest(f"{command[0]} is not installed")
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_all_are_yaml_that_names_what_is_there(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("python3-yaml is not installed")
        action = yaml.safe_load((ROOT / "action.yml").read_text())
        self.assertEqual(action["runs"]["using"], "composite")
        (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
        self.assertTrue(os.access(ROOT / hook["entry"], os.X_OK))
        job = yaml.safe_load((ROOT / "integrations" / "gitlab.yml").read_text())[".tensorguard"]
        for line in job["before_script"] + job["script"]:
            script = line.strip('"').replace("$TENSORGUARD_SOURCE", str(ROOT))
            self.assertTrue(os.access(script, os.X_OK), line)

    def test_the_action_has_the_form_of_one(self):
        self.run_checker("action-validator", "action.yml")

    def test_the_template_of_gitlab_has_the_form_of_one(self):
        self.run_checker(
            "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "integrations/gitlab.yml"
        )

    def test_the_hook_has_the_form_of_one(self):
        self.run_checker("pre-commit", "validate-manifest", ".pre-commit-hooks.yaml")

    def test_the_action_puts_no_input_into_a_script(self):
        text = (ROOT / "action.yml").read_text()
        for step in text.split("- name:")[1:]:
            script = step.split("run:")[1]
            self.assertNotIn("${{", script)


if __name__ == "__main__":
    unittest.main()
