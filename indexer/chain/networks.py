"""The networks that the daemon ships: ``MAIN``, ``TEST``, ``REGTEST``.

Source: ``chainparams.cpp: CMainParams, CTestNetParams, CRegTestParams``.

Regtest ships with every upgrade disabled, and disabled is -1. Where the daemon compares heights with that
number instead of asking whether the upgrade is in force, -1 acts as "since ever": its blocks are PoN from
height 1, its subsidy is the PoN one counted from -1, while node lifetimes stay the oldest ones. The values
below reproduce this by standing as the daemon has them. Not representable, and of no use to an index: a PoN
block of regtest may have any hash.
"""

from __future__ import annotations

import difflib
from dataclasses import fields, replace

from indexer.chain.keys import P2PKH, P2SH
from indexer.chain.params import (
    COIN,
    DISABLED,
    Fund,
    Funds,
    Network,
    NodeRules,
    Pon,
    Subsidy,
    SwapPool,
    Upgrades,
)
from indexer.errors import ConfigError


def _p2sh(hash160: str) -> bytes:
    return bytes([P2SH]) + bytes.fromhex(hash160)


def _p2pkh(hash160: str) -> bytes:
    return bytes([P2PKH]) + bytes.fromhex(hash160)


def _benchmark_keys(*since_and_key: tuple[int, str]) -> tuple[tuple[bytes, int], ...]:
    return tuple((bytes.fromhex(key), since) for since, key in since_and_key)


MAIN = Network(
    name="main",
    magic=bytes.fromhex("24e92764"),
    genesis_hash="00052461a5006c2e3b74ce48992a08695607912d5604c3eb8da25749b0900444",
    genesis_time=1516980000,
    pubkey_address_prefix=bytes.fromhex("1cb8"),  # t1…
    script_address_prefix=bytes.fromhex("1cbd"),  # t3…
    sprout_address_prefix=bytes.fromhex("169a"),  # zc…
    sapling_hrp="za",
    pow_limit_bits=0x1F07FFFF,
    pow_target_spacing=120,
    pon_target_spacing=30,
    coinbase_maturity=100,
    upgrades=Upgrades(
        lwma=125_000,
        equihash_144_5=125_100,
        acadia=250_000,
        kamiooka=372_500,
        kamata=558_000,
        flux=835_554,
        halving=1_076_532,
        p2shnodes=1_549_500,
        pon=2_020_000,
    ),
    subsidy=Subsidy(
        premine_height=1,
        premine=13_020_000 * COIN,
        initial=150 * COIN,
        slow_start_interval=5000,
        halving_interval=655_350,
        max_halvings=2,
        pon_initial=14 * COIN,
        pon_reduction_interval=1_051_200,
        pon_max_reductions=20,
    ),
    funds=Funds(
        exchange=Fund(836_274, 7_500_000 * COIN, _p2sh("349284cf14b6d7f800838b7d69b075f8a0371b4c")),  # t3PMbbA5…
        foundation=Fund(836_994, 2_500_000 * COIN, _p2sh("9079f88d58188f351ce2e299bbbf31ca0ba2bc41")),  # t3XjYMBv…
        swap_pool=SwapPool(
            start=837_714,
            interval=21_600,
            times=10,
            amount=22_000_000 * COIN,
            address=_p2sh("643b474d518eb0f7603a100b503bbf0e32d647aa"),  # t3ThbWog…
        ),
        dev_fund_address=_p2sh("fa742817c4a665fccc70ce4cb40bdb71ba345db7"),  # t3hPu1YD…
    ),
    nodes=NodeRules(
        payments_from=560_000,
        cumulus_transition=(1_076_532, 1_086_612),
        nimbus_transition=(1_081_572, 1_092_372),
        stratus_transition=(1_087_332, 1_097_412),
        foundation_key=bytes.fromhex(
            "04ab11edbb8a15f7cc2628a4a2c18cea095d250f8c9a2924cbd581b8d8fb3a8b91"
            "e39e5febddb7ffc60f20dfd352a40aa4f061aa60a9ace26d43e1b7a18aea4162"
        ),
        benchmark_keys=_benchmark_keys(
            (0, "042e79d7dd1483996157df6b16c831be2b14b31c69944ea2a585c63b5101af1f95"
                "17ba392cee5b1f45a62e9d936488429374535a2f76870bfa8eea6667b13eb39e"),
            (1618113600, "04517413e51fa9b2e94f200b254cca69beb86f2d74bf66ca53854ba66bc376dde9"
                         "b52e9b4403731d9a4f3e8edd9687f1e1824b688fe26454bd9fb823a3307b4682"),
            (1647262800, "0480dff65aa9d4b4c4234e4723a5e7c5bf527ca683b53aa26a7225cc5eb16e6e79"
                         "f9629eb5f96c12b173de7a20e9823b2d36575759f3490864922f7ed04e171fad"),
            (1706209200, "0437d58236a849ebe0e6558c1517e1f5c56749e04a2f7a7daedd4ef7c9fb6a773f"
                         "32a33fe5ddad88b9af3ff496ee5ce79ce245c258bafa4e8d287baa3d54c6c65f"),
            (1743534000, "04e54965119e89861f80135b13f56c3b5cc55ad2b916d9705052fc91d2894f9cb1"
                         "9151a8d61c6e9ea4812075dd32f06fde5965589ffa1517ab1bd2ddbc66a39f42"),
        ),
        emergency_keys=tuple(
            map(
                bytes.fromhex,
                (
                    "025ee73f72d6996f94fe6ec9fac3f9ba6dcb947ed46dfbda530fc73ff99c667a4e",
                    "026f4281124d10eb90589831bac405d715ad79051ac5243d21c322d2abf2fd81e2",
                    "03083d65c2f57cfe4d1c34eb575bd9d836f5111dd0de86405d48211bf42ea30403",
                    "03674c29f348124e998fd838228a3ff050ca26fe0c13ad98698585cbbf796b461e",
                ),
            )
        ),
    ),
    pon=Pon(window=30, start_limit_bits=0x1F0BFFFF, limit_bits=0x200FFFFF),
    checkpoints=(
        (5500, "0000000e7724f8bace09dd762657169c10622af4a6a8e959152cd00b9119848e"),
        (35000, "000000004646dd797644b9c67aff320961e95c311b4f26985424b720d09fcaa5"),
        (70000, "00000001edcf7768ed39fac55414e53a78d077b1b41fccdaf9307d7bc219626a"),
        (94071, "00000005ec83876bc5288badf0971ae83ac7c6a286851f7b22a75a03e73b401a"),
        (277649, "00000004a53f9271d05071a052b3738b46663f3335d14b6aea965a3cb70c0cc8"),
        (400000, "000000390342f0e52443ad79b43e5d85b78bf519667aeb3aa980d76caeda0369"),
        (530000, "0000004b4459ec6904e8116d178c357b0f25a7d45c5c5836ce3714791f1ed124"),
        (600000, "000000dea4478401e6ab95f6d05ade810115411e95e75fab9fd94a44df4b1e1d"),
        (700000, "0000000845ef03939225cc592773fd7aef54b5232fc42790c46ef6f11ee3e8d4"),
        (800000, "000000451b73f495b2f6ad38bd89d15495551fc15c2078ad7af3d54d06422cc6"),
        (900000, "000001e1ad2bb5e3cabb09559b6e65b871bf1d2a51bcc141ce45fc4cbd1d9cd8"),
        (1000000, "0000001a80e7f30d21fb14116cd01d51e1fad8ac84cc960896f4691a57368a47"),
        (1040000, "00000007f3b465bd4b0e161e43c05a3d946144330e33ea3a91cb952e6ef86b7d"),
        (1040577, "000000071fe89682ac260bc0a49621344eb28ae01659c9e7ce86e3762e45f52d"),
        (1042126, "0000000295e4663178fd9e533787e74206645910a2bfb61938db5f67796eaad0"),
        (1060000, "0000000fd721d8d381c4b24a4f78fc036955d7a0f98d2765b8c7badad8b66c1b"),
        (1442798, "0000000cc561fecb2ecfd22ba7af09450ca8cf270f407ce8b948195ff2aa0d13"),
        (1518503, "0000000dba41dc84c52a3933af49d316fff49a76b49d42bd5b6d20c4e451a0ef"),
        (1791720, "0000000abc7bd62a213e0dab43c9c01220b031a568fdfb5c2ef89e6b30054bdc"),
        (2020500, "af2a1bd59c61f64860b4b45bd65358743fda40d8420564b58c39df45be7da97c"),
        (2021000, "d2dcec473e809575e30ec2c0f400758120f5121b8268f90cdb8a7dbefe285b0d"),
        (2021500, "fa98471f31ffc1366330bababc090ad5cb6bd23c25bb3b61d1e1ed07a77d6126"),
        (2022000, "40a060546a56eb7fab0fd33ab3e6de834ff0d5273847d4f231a9addecfc44f61"),
        (2029000, "4856dc788a973db4cc537465c9ef80288e1eb065898993d72371b1ee48c248b4"),
    ),
)

_TEST_FUND_ADDRESS = _p2pkh("b1a3111de491cc77362286ee26256c699cb5bb4d")  # tmRucHD8…
_TEST_DEV_FUND_ADDRESS = _p2sh("708e8e6c05af3dbe237b8ac759a14c5f56d6d312")  # t2GoxS2S…
_TEST_FOUNDATION_KEY = bytes.fromhex(
    "04276f105ff36a670a56e75c2462cff05a4a7864756e6e1af01022e32752d6fe57"
    "b1e13cab4f2dbe3a6a51b4e0de83a5c4627345f5232151867850018c9a3c3a1d"
)

TEST = Network(
    name="test",
    magic=bytes.fromhex("fa1af9bf"),
    genesis_hash="0042202a64a929fc25cc10e68615ddbe38007b1b40da08acd3f530f83c79b9d1",
    genesis_time=1582228940,
    pubkey_address_prefix=bytes.fromhex("1d25"),  # tm…
    script_address_prefix=bytes.fromhex("1cba"),  # t2…
    sprout_address_prefix=bytes.fromhex("16b6"),  # zt…
    sapling_hrp="ztestacadia",
    pow_limit_bits=0x200EFFFF,
    pow_target_spacing=60,
    pon_target_spacing=30,
    coinbase_maturity=100,
    upgrades=Upgrades(
        lwma=70,
        equihash_144_5=140,
        acadia=210,
        kamiooka=280,
        kamata=350,
        flux=420,
        halving=520,
        p2shnodes=600,
        pon=800,
    ),
    subsidy=replace(MAIN.subsidy, slow_start_interval=1, pon_reduction_interval=525_600),
    funds=Funds(
        exchange=Fund(4100, 7_500_000 * COIN, _TEST_FUND_ADDRESS),
        foundation=Fund(4200, 2_500_000 * COIN, _TEST_FUND_ADDRESS),
        swap_pool=SwapPool(4300, 100, 10, 2_200_000 * COIN, _TEST_FUND_ADDRESS),
        dev_fund_address=_TEST_DEV_FUND_ADDRESS,
    ),
    nodes=NodeRules(
        payments_from=350,
        cumulus_transition=(420, 520),
        nimbus_transition=(420, 520),
        stratus_transition=(420, 520),
        foundation_key=_TEST_FOUNDATION_KEY,
        benchmark_keys=_benchmark_keys(
            (0, "04d422e01f5acff68504b92df96a9004cf61be432a20efe83fe8a94c1aa730fe7d"
                "ece5d2e8298f2d5672d4e569c55d9f0a73268ef7b92990d8c014e828a7cc48dd"),
            (1617508800, "042023568fbcc4715c34d8596feaabf0683b3dfa7280b2f4df0436311a31086a73"
                         "fdf507d63c3ec89455037ba738375d17b309c2cd226f173a5ef7841400cd09ec"),
        ),
        emergency_keys=(),
    ),
    pon=Pon(window=60, start_limit_bits=0x207FFFFF, limit_bits=0x200FFFFF),
    checkpoints=((320, "0237bf16aba912b0c68933809a7e7fe9553ddff1bc0782d2463fc5d161af1c46"),),
)

REGTEST = Network(
    name="regtest",
    magic=bytes.fromhex("aae83f5f"),
    genesis_hash="01998760a88dc2b5715f69d2f18c1d90e0b604612242d9099eaff3048dd1e0ce",
    genesis_time=1296688602,
    pubkey_address_prefix=TEST.pubkey_address_prefix,
    script_address_prefix=TEST.script_address_prefix,
    sprout_address_prefix=TEST.sprout_address_prefix,
    sapling_hrp="zregtestsapling",
    pow_limit_bits=0x200F0F0F,
    pow_target_spacing=120,
    pon_target_spacing=30,
    coinbase_maturity=100,
    upgrades=Upgrades(*[DISABLED] * len(fields(Upgrades))),
    subsidy=replace(
        MAIN.subsidy,
        slow_start_interval=0,
        halving_interval=150,
        pon_reduction_interval=100,
        pon_max_reductions=10,
    ),
    funds=Funds(
        exchange=Fund(10, 3_000_000 * COIN, _TEST_FUND_ADDRESS),
        foundation=Fund(10, 2_500_000 * COIN, _p2sh("4977cdf9e3f8c083dd464c4bc9bbcf6c9fa8db7b")),  # t2DFGpj2…
        swap_pool=SwapPool(10, 10, 5, 2_100_000 * COIN, _p2sh("50594230059eae22204c458800bc288de2dc35c1")),  # t2Dsexh4…
        dev_fund_address=_TEST_DEV_FUND_ADDRESS,
    ),
    nodes=NodeRules(
        payments_from=100,
        cumulus_transition=(0, 1000),
        nimbus_transition=(0, 1000),
        stratus_transition=(0, 100),
        foundation_key=_TEST_FOUNDATION_KEY,
        benchmark_keys=_benchmark_keys(
            (0, "04cf3c34f01486bbb34c1a7ca11c2ddb1b3d98698c3f37d54452ff91a8cd5e92a6"
                "910ce5fc2cc7ad63547454a965df53ff5be740d4ef4ac89848c2bafd1e40e6b7"),
            (1617508800, "045d54130187b4c4bba25004bf615881c2d79b16950a59114df27dc9858d8e531f"
                         "da4f3a27aa95ceb2bcc87ddd734be40a6808422655e5350fa9417874556b7342"),
        ),
        emergency_keys=(),
    ),
    pon=Pon(window=60, start_limit_bits=0x207FFFFF, limit_bits=0x200F0F0F),
)

NETWORKS = {network.name: network for network in (MAIN, TEST, REGTEST)}


def named_network(name: str) -> Network:
    """The shipped network of this name; ConfigError names the nearest one."""
    network = NETWORKS.get(name)
    if network is None:
        near = difflib.get_close_matches(name, NETWORKS, 1)
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(NETWORKS)}."
        raise ConfigError(f"there is no network named {name!r}: {hint} A network of one's own needs a params_file.")
    return network
