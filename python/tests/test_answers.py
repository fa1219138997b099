"""The package gives the program's answers."""

import pathlib
import pickle
import tempfile
import unittest

from samples import ALDER, BIRCH, LORA, MODELS, program

import tensorguard as tg


class Comparisons(unittest.TestCase):
    def test_give_what_the_program_prints(self):
        comparison = tg.compare(ALDER, LORA)
        self.assertEqual(comparison.to_dict(), program("compare", ALDER, LORA))

    def test_have_attributes(self):
        comparison = tg.compare(str(ALDER), LORA)
        self.assertIs(comparison.verdict, tg.Verdict.DERIVED)
        self.assertEqual(comparison.verdict, "derived")
        self.assertEqual((comparison.a, comparison.b), ("alder", "alder--lora"))
        self.assertGreater(comparison.score, 0.5)
        self.assertLess(comparison.p_value, 1e-6)
        self.assertAlmostEqual(sum(comparison.share["a"].values()), 1)
        self.assertIs(comparison.direction, tg.Direction(comparison.to_dict()["direction"]))
        self.assertTrue(comparison.layers)
        self.assertIn("derived", repr(comparison))

    def test_of_fingerprints_are_those_of_models(self):
        of_prints = tg.compare(tg.fingerprint(ALDER), LORA)
        self.assertEqual(of_prints.to_dict(), tg.compare(ALDER, LORA).to_dict())

    def test_can_test_the_weights(self):
        comparison = tg.compare(ALDER, BIRCH, deep=True)
        self.assertIs(comparison.verdict, tg.Verdict.INDEPENDENT)
        self.assertIsNotNone(comparison.to_dict()["evidence"]["test"])
        with self.assertRaises(tg.Error):
            tg.compare(tg.fingerprint(ALDER), BIRCH, deep=True)

    def test_show_themselves_in_a_notebook(self):
        comparison = tg.compare(ALDER, LORA)
        self.assertTrue(comparison._repr_html_().startswith("<iframe srcdoc="))
        self.assertIn("alder--lora", comparison.html())


class Families(unittest.TestCase):
    def setUp(self):
        self.names = [ALDER, BIRCH, LORA]
        self.prints = [tg.fingerprint(each) for each in self.names]

    def test_classify_gives_what_the_program_prints(self):
        expected = program("classify", LORA, "--known", ALDER, BIRCH)
        del expected["seconds"]  # the library reads no clock
        self.assertEqual(tg.classify(LORA, [ALDER, BIRCH]).to_dict(), expected)
        self.assertEqual(tg.classify(self.prints[2], self.prints[:2]).to_dict(), expected)
        mixed = tg.classify(LORA, [self.prints[0], BIRCH])
        self.assertEqual(mixed.to_dict(), expected)
        self.assertTrue(mixed.known)
        self.assertEqual(mixed.best.name, "alder")
        self.assertIs(mixed.best.verdict, tg.Verdict.DERIVED)

    def test_an_unknown_model_is_unknown(self):
        answer = tg.classify(BIRCH, ALDER)
        self.assertFalse(answer.known)
        self.assertIsNone(answer.direct_parent)
        self.assertIn("unknown", repr(answer))

    def test_cluster_gives_what_the_program_prints(self):
        expected = program("cluster", *self.names)
        families = tg.cluster(self.names)
        self.assertEqual(families.to_dict(), expected)
        self.assertEqual(tg.cluster(self.prints).to_dict(), expected)
        self.assertEqual(sorted(map(sorted, families.families)), [["alder", "alder--lora"], ["birch"]])
        self.assertIn("<svg", families._repr_svg_())

    def test_lineage_gives_what_the_program_prints(self):
        expected = program("lineage", *self.names)
        traced = tg.lineage(self.names)
        self.assertEqual(traced.to_dict(), expected)
        self.assertEqual(tg.lineage(self.prints).to_dict(), expected)
        self.assertEqual({node.name for node in traced.nodes} & {"alder", "birch"}, {"alder", "birch"})
        self.assertIsInstance(traced.edges[0].kind, tg.EdgeKind)
        self.assertIn("<svg", traced._repr_svg_())
        self.assertIn("digraph", traced.dot())
        only = tg.lineage(self.prints, root="birch")
        self.assertEqual([node.name for node in only.nodes], ["birch"])

    def test_two_models_of_one_name_are_refused(self):
        with self.assertRaises(tg.Error) as caught:
            tg.lineage([self.prints[0], self.prints[0]])
        self.assertEqual(caught.exception.kind, "mismatch")
        renamed = self.prints[0].renamed("copy")
        self.assertTrue(tg.lineage([self.prints[0], renamed]).edges)


class Conversions(unittest.TestCase):
    def test_keep_every_number(self):
        with tempfile.TemporaryDirectory() as folder:
            output = pathlib.Path(folder) / "plain.safetensors"
            tg.convert(MODELS / "birch--sft1.Q4_0.gguf", output, dtype=tg.NumberType.FLOAT32)
            self.assertEqual(
                tg.compare(output, MODELS / "birch--sft1.Q4_0.gguf").verdict, "identical"
            )
            with self.assertRaises(ValueError):
                tg.convert(ALDER, output, dtype="int4")


class Errors(unittest.TestCase):
    def test_know_their_place(self):
        with self.assertRaises(tg.Error) as caught:
            tg.fingerprint("no/such/model")
        error = caught.exception
        self.assertEqual(error.kind, "not_found")
        self.assertEqual(error.file, "no/such/model")
        self.assertIsNone(error.tensor)
        self.assertIn(error.problem, str(error))
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual((str(again), again.file), (str(error), error.file))

    def test_name_the_tensor(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "broken.safetensors"
            header = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}'
            path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
            with self.assertRaises(tg.Error) as caught:
                tg.fingerprint(path)
            self.assertEqual(caught.exception.tensor, "w")
            self.assertEqual(caught.exception.file, str(path))
            self.assertTrue(caught.exception.expected)


if __name__ == "__main__":
    unittest.main()
