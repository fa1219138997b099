"""The Python of README.md runs as it stands."""

import os
import re
import unittest

from samples import MODELS

import tensorguard as tg

ROOT = MODELS.parents[1]


class Readme(unittest.TestCase):
    def test_its_lines_run(self):
        os.chdir(ROOT)
        (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
        names: dict[str, object] = {}
        exec(compile(block, "README.md", "exec"), names)
        self.assertIs(names["tg"], tg)
        self.assertEqual(names["comparison"].verdict, "derived")


if __name__ == "__main__":
    unittest.main()
