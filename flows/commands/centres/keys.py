"""y90 key new, y90 identify: the keys, and what they open."""

import argparse

from flows.commands.command import Command, Context
from schemas.errors import Refused


def _new_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--signing",
        action="store_true",
        help="the key that signs bundles for pooling, and its public half",
    )


def _new_signing(context: Context) -> int:
    from flows.settings import signing_key_path
    from warehouse.bundles import signatures

    path = signing_key_path(context.registry)
    public = signatures.new_key(path, context.registry.file.registry)
    facts = {"key_file": path, "public": public, "fingerprint": signatures.fingerprint(public)}
    context.report(
        facts,
        f"{path}: new signing key, {facts['fingerprint']}. Send its public half to whoever pools:\n"
        f"{public}",
    )
    return 0


def _new(context: Context) -> int:
    if context.arguments.signing:
        return _new_signing(context)
    from flows.settings import new_key_path
    from warehouse.engine.pseudonyms import new_key

    path = new_key_path(context.config)
    if path is None:
        raise Refused(
            f"{context.config}: a registry of synthetic or public sites uses the published "
            "demonstration key. Only clinical registries have one of their own."
        )
    fingerprint = new_key(path)
    context.report(
        {"key_file": path, "fingerprint": fingerprint},
        f"{path}: new key, fingerprint {fingerprint}. Keep a copy in a safe place outside the "
        "store: without it no pseudonym can be made again.",
    )
    return 0


def _identify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", help="subject_id of a release, 16 hex digits")


def _identify(context: Context) -> int:
    from flows.telling import progress
    from warehouse.account.identify import identify

    subject = context.arguments.subject
    with progress.doing("identify"):
        site, patient = identify(context.store, context.registry, context.key, subject)
    context.give(
        {"subject_id": subject, "site_id": site, "patient_id": patient}, f"{site} {patient}"
    )
    return 0


COMMANDS = (
    Command(
        name="key new",
        help=(
            "make the key of a clinical registry, readable by its owner only, or with --signing "
            "the key that signs bundles for pooling"
        ),
        example="y90 key new --config registry.toml",
        answer=_new,
        arguments=_new_arguments,
    ),
    Command(
        name="identify",
        help=(
            "name the patient behind a subject_id; needs the registry's key and the store's "
            "raw data"
        ),
        example="y90 identify 045f3b4239e26eab --config simulation/memon2012/registry.toml",
        answer=_identify,
        arguments=_identify_arguments,
    ),
)
