"""Registries give what the program prints, and raise what it says."""

import concurrent.futures
import hashlib
import pathlib
import tempfile
import threading
import unittest

from samples import ALDER, BIRCH, LORA, MODELS, program

import tensorguard as tg

ELM = MODELS / "elm"


class Registries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prints = {each: tg.fingerprint(each) for each in (ALDER, BIRCH, LORA, ELM)}

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.place = pathlib.Path(self.folder.name) / "known.tgr"
        self.registry = tg.Registry.create(self.place)
        self.addCleanup(self.registry.close)

    def add(self, *models, **told):
        return [self.registry.add(self.prints[each], **told) for each in models]

    def program(self, action, *arguments):
        return program("registry", action, *arguments, "--registry", self.place)

    def test_keep_models(self):
        (addition,) = self.add(
            ALDER, name="acme/alder", source="hf://acme/alder", revision="c0ffee", license="mit"
        )
        self.assertFalse(addition.already_there)
        self.assertEqual(addition.model.name, "acme/alder")
        self.assertGreater(addition.model.added_at, 1_700_000_000)
        (again,) = self.add(
            ALDER, name="acme/alder", source="hf://acme/alder", revision="c0ffee"
        )
        self.assertTrue(again.already_there)
        self.registry.add(BIRCH)  # by its place
        self.assertEqual([each.name for each in self.registry.list()], ["acme/alder", "birch"])
        self.assertEqual([each.id for each in self.registry.list(after=1)], [2])
        shown = self.registry.show("acme/alder")
        self.assertEqual(shown.licenses, ("mit",))
        self.assertEqual(shown, self.registry.show("#1"))
        told = self.program("show", "acme/alder")["model"]
        for field in ("id", "source", "revision", "trust", "state", "fingerprint", "parameters"):
            self.assertEqual(getattr(shown, field), told[field])
        print_ = self.registry.fingerprint("#2")
        self.assertEqual(tg.compare(print_, self.prints[BIRCH]).verdict, "identical")
        self.registry.remove("birch")
        self.assertEqual(len(self.registry.list()), 1)

    def test_are_searched(self):
        self.add(ALDER, BIRCH, ELM)
        found = self.registry.search(self.prints[LORA], limit=2)
        self.assertEqual(found.searched, 3)
        self.assertEqual(found.hits[0].model.name, "alder")
        printed = self.program("search", LORA, "--limit", "2")
        self.assertEqual(
            [(hit.model.name, hit.score) for hit in found.hits],
            [(each["name"], each["estimate"]) for each in printed["found"]],
        )

    def test_classify(self):
        self.add(ALDER, BIRCH, ELM)
        answer = self.registry.classify(LORA)
        printed = program("classify", LORA, "--known", self.place)
        self.assertEqual(answer.best.name, "alder")
        for field in ("known", "best", "candidates", "independent_candidates", "searched"):
            self.assertEqual(answer.to_dict()[field], printed[field])

    def test_find_exact_files(self):
        content = (ELM / "model.safetensors").read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        self.add(ELM, files=[("model.safetensors", len(content), digest)])
        self.add(BIRCH)
        ((model, file),) = self.registry.find_file(digest)
        self.assertEqual((model.name, file.path), ("elm", "model.safetensors"))
        self.assertEqual(self.registry.show("elm").files, (file,))
        self.assertEqual(self.registry.find_file("a" * 64), [])
        printed = program("classify", ELM, "--known", self.place)
        self.assertEqual(printed["exact"][0]["name"], "elm")
        self.assertTrue(printed["exact"][0]["whole"])
        with self.assertRaises(tg.Error) as caught:
            self.registry.find_file("not a digest")
        self.assertEqual(caught.exception.kind, "usage")
        with self.assertRaises(tg.Error):
            self.add(BIRCH, files=[("model.safetensors", 1, "0")])

    def test_keep_relations(self):
        self.add(ALDER, BIRCH, LORA)
        related = self.registry.relate("alder--lora", "alder")
        self.assertEqual((related.asserted.kind, related.measured.kind), ("derived", "derived"))
        self.assertFalse(related.contradicted)
        self.assertTrue(self.registry.relate("birch", "alder", "merge").contradicted)
        relations = self.registry.show("alder").relations
        self.assertEqual(len(relations), 4)
        self.assertEqual({each.measured for each in relations}, {True, False})

    def test_tell_their_state(self):
        self.assertIsNone(self.registry.status().last_added_at)
        self.add(ALDER, BIRCH)
        status = self.registry.status()
        printed = program("registry", "status", self.place)
        for field in ("engine", "models", "fingerprints", "events", "last_added_at"):
            self.assertEqual(getattr(status, field), printed[field])
        self.assertEqual(self.registry.verify(), ((), ()))
        self.assertEqual(self.registry.verify(repair=True).faults, ())

    def test_travel(self):
        self.add(ALDER, LORA)
        self.registry.relate("alder--lora", "alder")
        out = pathlib.Path(self.folder.name) / "out"
        self.assertEqual(self.registry.export(out), (2, 2, 2))
        with tg.Registry.create(pathlib.Path(self.folder.name) / "mirror.tgr") as mirror:
            self.assertEqual(mirror.import_(out), (2, 0, 2))
            self.assertEqual(mirror.import_(out).already_there, 2)
            self.assertEqual(mirror.show("alder").trust, "unverified")
            (out / "models.jsonl").write_text("{}\n")
            with self.assertRaises(tg.Error) as caught:
                mirror.import_(out)
            self.assertEqual(caught.exception.kind, "bad_file")

    def test_say_what_is_wrong(self):
        with self.assertRaises(tg.Error) as caught:
            tg.Registry.create(self.place)
        self.assertEqual(caught.exception.kind, "usage")
        with self.assertRaises(tg.Error) as caught:
            tg.Registry(self.place.with_name("none.tgr"))
        self.assertEqual(caught.exception.kind, "not_found")
        other = self.place.with_name("other.tgr")
        other.write_bytes(b"no database at all, but long enough to be looked at")
        with self.assertRaises(tg.Error) as caught:
            tg.Registry(other)
        self.assertEqual((caught.exception.kind, caught.exception.file), ("bad_file", str(other)))
        with self.assertRaises(tg.Error) as caught:
            self.registry.show("nobody")
        self.assertEqual(caught.exception.kind, "not_found")
        with self.assertRaises(tg.Error) as caught:
            self.registry.classify(self.prints[ALDER])  # of an empty one
        self.assertEqual(caught.exception.kind, "usage")
        (addition,) = self.add(ALDER)
        with self.assertRaises(tg.Error):
            self.registry.relate("alder", "alder")
        with self.assertRaises(tg.Error):
            self.registry.add(self.prints[BIRCH], trust="blind")
        with self.assertRaises(tg.Error):
            self.registry.add(self.prints[BIRCH], name="a\0b")

    def test_are_closed_once_and_for_all(self):
        with tg.Registry(self.place) as registry:
            registry.list()
        registry.close()
        with self.assertRaises(tg.Error) as caught:
            registry.list()
        self.assertEqual(caught.exception.problem, "the registry is closed")
        with self.assertRaises(KeyError), tg.Registry(self.place) as registry:
            raise KeyError
        with self.assertRaises(tg.Error):
            registry.list()

    def test_answer_several_threads(self):
        self.add(ALDER, BIRCH, ELM)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(
                pool.map(lambda _: self.registry.search(self.prints[LORA]).hits, range(8))
            )
        self.assertEqual(answers, [answers[0]] * 8)

    def test_let_other_threads_run(self):
        self.add(ALDER, BIRCH, LORA, ELM)
        running = threading.Event()
        counting = threading.Thread(target=running.wait)
        counting.start()
        self.registry.classify(self.prints[LORA])
        running.set()
        counting.join(10)
        self.assertFalse(counting.is_alive())


if __name__ == "__main__":
    unittest.main()
